//! Ways to recognise a person, made short: a million people have five million of them.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use sha2::{Digest, Sha256};

use super::address::EmailAddress;
use super::ids::ProspectId;

/// One way to recognise a person, such as an e-mail address: the first 63 bits of SHA-256 over its kind
/// and its value. Two of five million are the same by accident in one of a million databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity(i64);

impl Identity {
    /// What the tool that made a list calls the person.
    pub const EXTERNAL: &str = "external";
    /// The canonical form of an address.
    pub const EMAIL: &str = "email";
    /// The last part of the address of a profile.
    pub const LINKEDIN: &str = "linkedin";
    /// A phone number with the last name and the initial of the first.
    pub const PHONE_NAME: &str = "phone_name";
    /// Name and company: perhaps the same person, never merged by itself.
    pub const NAME_COMPANY: &str = "name_company";

    /// A way of one of the kinds above.
    pub fn new(kind: &str, value: &str) -> Self {
        let digest = Sha256::new().chain_update(kind).chain_update([0]).chain_update(value);
        let first = digest.finalize().first_chunk::<8>().copied().unwrap_or_default();
        Self(i64::from_be_bytes(first) & i64::MAX)
    }

    /// An e-mail address.
    pub fn of_email(address: &EmailAddress) -> Self {
        Self::new(Self::EMAIL, &address.canonical())
    }

    /// As [`Identity::hash`] has given it.
    pub fn from_hash(hash: i64) -> Self {
        Self(hash)
    }

    /// What is stored.
    pub fn hash(self) -> i64 {
        self.0
    }
}

/// People by how they are recognised.
pub type ByIdentity = HashMap<Identity, ProspectId, BuildHasherDefault<AsItIs>>;

/// An identity is a hash already: to hash it as texts are hashed would only cost time.
#[derive(Debug, Default)]
pub struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        // Its highest bit is never set, and tables look at the highest bits first.
        self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_i64(&mut self, n: i64) {
        self.0 = n.cast_unsigned();
    }
}
