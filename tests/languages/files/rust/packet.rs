//! Packets of the radio.

use std::fmt;

pub const MAX_LEN: usize = 64;

/// One packet.
#[derive(Debug, Clone)]
pub struct Packet {
    bytes: Vec<u8>,
}

impl Packet {
    /// Verifies the checksum of a received packet.
    #[must_use]
    pub fn verify(&self) -> bool {
        let (body, sum) = self.bytes.split_at(self.bytes.len() - 1);
        body.iter().fold(0u8, |a, b| a ^ b) == sum[0]
    }
}

impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.bytes.len())
    }
}

pub trait Radio {
    fn send(&mut self, packet: &Packet);

    fn power(&self) -> u8 {
        7
    }
}

pub enum Channel {
    Low,
    High,
}

macro_rules! packet {
    ($($byte:expr),*) => { Packet { bytes: vec![$($byte),*] } };
}

fn channel_of(frequency: u32) -> Channel {
    if frequency < 868_000 { Channel::Low } else { Channel::High }
}
