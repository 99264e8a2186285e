#include "cloud/ec2/calls/ec2.h"
