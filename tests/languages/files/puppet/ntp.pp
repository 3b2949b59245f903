# Keeps the clocks right.
class ntp (
  Array[String] $servers = ['pool.ntp.org'],
) {
  package { 'chrony':
    ensure => installed,
  }
}

define ntp::peer (String $address) {
  file { "/etc/chrony/${name}.conf":
    content => "peer ${address}\n",
  }
}

function ntp::is_public(String $address) {
  $address !~ /^10\./
}
