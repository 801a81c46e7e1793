//! The people of an account, as the state of their enrollment holds them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::json::{ending_from, timestamp};
use crate::domain::enrollment::{Account, Ending, Member};
use crate::domain::ids::{BuyerRole, ProfileId, ProspectId};

#[derive(Serialize, Deserialize)]
pub(super) struct AccountJson {
    turn: usize,
    members: Vec<MemberJson>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    replied: Vec<usize>,
}

#[derive(Serialize, Deserialize)]
struct MemberJson {
    role: String,
    who: i64,
    /// Id and digest.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    profile: Option<(String, String)>,
    /// How and when they got out of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    left: Option<(String, i64)>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    not_before: Option<i64>,
}

impl From<&Account> for AccountJson {
    fn from(account: &Account) -> Self {
        let members = account.members.iter().map(MemberJson::from).collect();
        Self { turn: account.turn, members, replied: account.replied.clone() }
    }
}

impl From<&Member> for MemberJson {
    fn from(member: &Member) -> Self {
        let profile = member.profile.as_ref();
        let left =
            |(ending, at): &(Ending, Timestamp)| (ending.as_str().to_owned(), at.as_millisecond());
        Self {
            role: member.role.0.clone(),
            who: member.who.0,
            profile: profile.map(|(id, digest)| (id.0.clone(), digest.clone())),
            left: member.left.as_ref().map(left),
            not_before: member.not_before.map(Timestamp::as_millisecond),
        }
    }
}

impl TryFrom<AccountJson> for Account {
    type Error = String;

    fn try_from(json: AccountJson) -> Result<Self, String> {
        let members = json.members.into_iter().map(Member::try_from);
        let members = members.collect::<Result<_, _>>()?;
        Ok(Self { turn: json.turn, members, replied: json.replied })
    }
}

impl TryFrom<MemberJson> for Member {
    type Error = String;

    fn try_from(json: MemberJson) -> Result<Self, String> {
        let left = |(ending, at): (String, i64)| -> Result<_, String> {
            Ok((ending_from(&ending)?, timestamp(at)))
        };
        Ok(Self {
            role: BuyerRole(json.role),
            who: ProspectId(json.who),
            profile: json.profile.map(|(id, digest)| (ProfileId(id), digest)),
            left: json.left.map(left).transpose()?,
            not_before: json.not_before.map(timestamp),
        })
    }
}
