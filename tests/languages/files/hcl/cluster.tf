terraform {
  required_version = ">= 1.6"
}

variable "region" {
  type    = string
  default = "eu-north-1"
}

locals {
  name = "reporting"
}

# Who may open port 443 of the cluster.
resource "aws_security_group" "cluster_ingress" {
  name = "${local.name}-ingress"

  ingress {
    from_port = 443
    to_port   = 443
    protocol  = "tcp"
  }
}

data "aws_ami" "base" {
  most_recent = true
}

module "network" {
  source = "./network"
}

output "address" {
  value = module.network.address
}
