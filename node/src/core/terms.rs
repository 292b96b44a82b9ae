//! What a follower wants of a channel, who may write on it, and whether its domain vouches for it.

use madang_protocol::channel::terms::{self as protocol, Why};
use madang_protocol::channel::{Area as Circle, Scopes};
use madang_protocol::client::channel_view::{self as view, WriterView};
use madang_protocol::client::{ChannelCommand, Reply, WriterGrant};
use madang_protocol::keys;

use super::api::Facade;
use super::channels::{inner, other_said, post, whole};
use crate::rpc::api::ApiResult;
use crate::rpc::error::ApiError;
use crate::rpc::params::*;
use crate::rpc::types::*;

impl Facade {
    pub(super) async fn set_terms(&self, params: TermsParams) -> ApiResult<Channel> {
        let command = ChannelCommand::Terms {
            channel: inner(params.channel),
            terms: Box::new(wanted(params.terms)?),
        };
        self.on_channel(command).await?;
        self.channel(params.channel).await
    }

    /// What was held back, which nothing is any more.
    pub(super) async fn open_digest(&self, id: ChannelId) -> ApiResult<Page<Post>> {
        let found = self
            .read(move |rows| {
                let held = view::channel(rows, &inner(id))?.map(|channel| channel.held);
                let posts = held.iter().flatten().map(|held| view::post(rows, &held.post));
                posts.collect::<Result<Vec<_>, _>>()
            })
            .await?;
        let channel = inner(id);
        self.on_channel(ChannelCommand::OpenDigest { channel }).await?;
        let items = found.into_iter().flatten().filter(|view| view.retracted.is_none());
        Ok(whole(items.map(|view| post(view, false)).collect()))
    }

    pub(super) async fn writer_key(&self, id: ChannelId) -> ApiResult<WriterKeyMade> {
        let channel = inner(id);
        match self.on_channel(ChannelCommand::WriterKey { channel }).await? {
            Reply::Writer(writer) => Ok(WriterKeyMade {
                writer: WriterKey(writer.0),
            }),
            _ => Err(other_said()),
        }
    }

    pub(super) async fn certify(&self, params: CertifyParams) -> ApiResult<Certified> {
        let scopes = params.scopes.iter().map(|scope| scope_bits(*scope));
        let grant = WriterGrant {
            writer: keys::WriterId(params.writer.0),
            scopes: scopes.fold(Scopes::default(), Scopes::with),
            categories: params.categories,
            until_s: params.until_ms / 1000,
        };
        let channel = inner(params.channel);
        let certificate = self.certificate(ChannelCommand::Certify { channel, grant }).await?;
        Ok(Certified { certificate })
    }

    pub(super) async fn recovery_key(&self, id: ChannelId) -> ApiResult<RecoveryMade> {
        let channel = inner(id);
        let key = self.certificate(ChannelCommand::RecoveryKey { channel }).await?;
        Ok(RecoveryMade { key })
    }

    async fn certificate(&self, command: ChannelCommand) -> ApiResult<String> {
        match self.on_channel(command).await? {
            Reply::Certificate(text) => Ok(text),
            _ => Err(other_said()),
        }
    }

    pub(super) async fn use_certificate(&self, certificate: String) -> ApiResult<Channel> {
        self.made(ChannelCommand::UseCertificate { certificate }).await
    }

    pub(super) async fn recover(&self, key: String) -> ApiResult<Channel> {
        self.made(ChannelCommand::Recover { key }).await
    }

    pub(super) async fn revoke(&self, params: RevokeParams) -> ApiResult<Done> {
        let command = ChannelCommand::Revoke {
            channel: inner(params.channel),
            writer: keys::WriterId(params.writer.0),
        };
        self.on_channel(command).await?;
        Ok(Done {})
    }

    pub(super) async fn writers(&self, id: ChannelId) -> ApiResult<Page<ChannelWriter>> {
        let found = self
            .read(move |rows| {
                let own = view::channel(rows, &inner(id))?.is_some_and(|channel| channel.own);
                own.then(|| view::writers(rows, &inner(id))).transpose()
            })
            .await?;
        let found = found.ok_or(ApiError::NotFound { field: "channel" })?;
        Ok(whole(found.into_iter().map(writer).collect()))
    }

    /// The domain that an own channel names, and its root's word for it.
    pub(super) async fn vouch(&self, id: ChannelId) -> ApiResult<(String, Vec<u8>)> {
        let channel = inner(id);
        let vouch = match self.on_channel(ChannelCommand::Vouch { channel }).await? {
            Reply::Vouch(vouch) => vouch,
            _ => return Err(other_said()),
        };
        let shown = self.channel(id).await?;
        let domain = shown.manifest.and_then(|manifest| manifest.domain);
        Ok((domain.ok_or_else(other_said)?, vouch))
    }

    pub(super) async fn prove(&self, id: ChannelId, domain: String, vouches: Vec<Vec<u8>>) -> ApiResult<Channel> {
        let command = ChannelCommand::Prove {
            channel: inner(id),
            domain,
            vouches,
        };
        self.on_channel(command).await?;
        self.channel(id).await
    }
}

fn writer(view: WriterView) -> ChannelWriter {
    ChannelWriter {
        writer: WriterKey(view.writer.0),
        scopes: scope_names(view.scopes),
        categories: (!view.categories.is_empty()).then_some(view.categories),
        from_ms: view.from_s.saturating_mul(1000),
        until_ms: view.until_s.saturating_mul(1000),
        number: view.number,
    }
}

const SCOPES: [(WriterScope, Scopes); 6] = [
    (WriterScope::Publish, Scopes::PUBLISH),
    (WriterScope::Edit, Scopes::EDIT),
    (WriterScope::Coupons, Scopes::COUPONS),
    (WriterScope::Stats, Scopes::STATS),
    (WriterScope::Root, Scopes::ROOT),
    (WriterScope::Recovery, Scopes::RECOVERY),
];

fn scope_bits(name: WriterScope) -> Scopes {
    let known = SCOPES.iter().find(|(known, _)| *known == name);
    known.map_or_else(Scopes::default, |(_, bits)| *bits)
}

/// What a key may do, by name.
pub(super) fn scope_names(scopes: Scopes) -> Vec<WriterScope> {
    let has = |bits: Scopes| scopes.0 & bits.0 != 0;
    SCOPES
        .iter()
        .filter(|(_, bits)| has(*bits))
        .map(|(name, _)| *name)
        .collect()
}

/// Terms as the client keeps them.
fn wanted(terms: ChannelTerms) -> ApiResult<protocol::Terms> {
    let hours = |field: &'static str, given: Vec<Hours>| -> ApiResult<Vec<protocol::Hours>> {
        let read = |hours: Hours| {
            let minute = |text: &str| {
                minute(text).ok_or_else(|| ApiError::invalid(field, "a time is written as 22:00, from 00:00 to 23:59"))
            };
            let bit = |day: Day| {
                Day::ALL
                    .iter()
                    .position(|known| *known == day)
                    .map_or(0, |bit| 1 << bit)
            };
            let days = hours
                .days
                .map(|days| days.into_iter().fold(0, |all, day| all | bit(day)));
            Ok(protocol::Hours {
                days: days.unwrap_or(protocol::Hours::DAILY),
                from: minute(&hours.from)?,
                to: minute(&hours.to)?,
            })
        };
        given.into_iter().map(read).collect()
    };
    Ok(protocol::Terms {
        categories: terms.categories.map(|chosen| chosen.into_iter().collect()),
        advertising: terms.advertising,
        quiet: hours("terms.quiet", terms.quiet)?,
        window: hours("terms.window", terms.window)?,
        daily_cap: terms.daily_cap,
        places: terms.places.into_iter().map(circle).collect(),
        urgent: terms.urgent,
        zone: terms.zone,
    })
}

/// The minute of the day of `22:00`.
fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let digits = |text: &str, most: u16| {
        let two = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        let value: u16 = text.parse().ok().filter(|_| two)?;
        (value <= most).then_some(value)
    };
    Some(digits(hour, 23)? * 60 + digits(minute, 59)?)
}

/// Terms as they are shown.
pub(super) fn shown(terms: protocol::Terms) -> ChannelTerms {
    let hours = |kept: Vec<protocol::Hours>| {
        let time = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        let shown = kept.into_iter().map(|hours| Hours {
            from: time(hours.from),
            to: time(hours.to),
            days: (hours.days != protocol::Hours::DAILY).then(|| {
                let on = |place: usize| hours.days & (1 << place) != 0;
                let days = Day::ALL.iter().enumerate().filter(|(place, _)| on(*place));
                days.map(|(_, day)| *day).collect()
            }),
        });
        shown.collect()
    };
    ChannelTerms {
        categories: terms.categories.map(|chosen| chosen.into_iter().collect()),
        advertising: terms.advertising,
        quiet: hours(terms.quiet),
        window: hours(terms.window),
        daily_cap: terms.daily_cap,
        places: terms.places.into_iter().map(area).collect(),
        urgent: terms.urgent,
        zone: terms.zone,
    }
}

/// A circle on the earth, as the client has it.
pub(super) fn circle(area: Area) -> Circle {
    Circle {
        latitude_e6: area.latitude_e6,
        longitude_e6: area.longitude_e6,
        radius_m: area.radius_m,
    }
}

/// A circle on the earth, as it is shown.
pub(super) fn area(circle: Circle) -> Area {
    Area {
        latitude_e6: circle.latitude_e6,
        longitude_e6: circle.longitude_e6,
        radius_m: circle.radius_m,
    }
}

/// A post that is held back, as it is shown.
pub(super) fn held_back(held: &view::HeldView) -> HeldBack {
    HeldBack {
        post: PostId(held.post.0),
        why: why(held.why),
        since_ms: held.since_ms,
        until_ms: held.until_ms,
    }
}

/// Why a post isn't shown.
pub(super) fn why(why: Why) -> HeldWhy {
    match why {
        Why::Category => HeldWhy::Category,
        Why::Area => HeldWhy::Area,
        Why::Advertising => HeldWhy::Advertising,
        Why::Quiet => HeldWhy::Quiet,
        Why::Window => HeldWhy::Window,
        Why::DailyCap => HeldWhy::DailyCap,
        Why::Promise => HeldWhy::Promise,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_shown_as_they_were_given() {
        let given: ChannelTerms = serde_json::from_value(serde_json::json!({
            "categories": ["news"],
            "quiet": [{ "from": "22:00", "to": "07:05" }, { "from": "12:30", "to": "13:00", "days": ["mon", "sun"] }],
            "daily_cap": 3,
            "places": [{ "latitude_e6": 37_500_000, "longitude_e6": -127_000_000, "radius_m": 5_000 }],
            "zone": "Asia/Seoul",
        }))
        .unwrap_or_default();
        assert_eq!(given.daily_cap, Some(3));
        assert!(given.advertising && !given.urgent);
        assert_eq!(wanted(given.clone()).map(shown), Ok(given));
    }

    #[test]
    fn a_time_that_is_none_is_refused_by_its_field() {
        for time in ["24:00", "7:00", "07:60", "0700", "+7:00", "", "07:00:00", "７:00"] {
            let terms = ChannelTerms {
                window: vec![Hours {
                    from: "07:00".to_owned(),
                    to: time.to_owned(),
                    days: None,
                }],
                ..ChannelTerms::default()
            };
            let refused = wanted(terms);
            assert!(
                matches!(&refused, Err(ApiError::InvalidParams { field, .. }) if field == "terms.window"),
                "{time}: {refused:?}"
            );
        }
    }
}
