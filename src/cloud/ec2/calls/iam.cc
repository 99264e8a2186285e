#include "cloud/ec2/calls/iam.h"
