#include "cloud/ec2/calls/services.h"
