//! Invite links of groups.

use super::groups::Village;
use super::*;
use crate::chat::Role;
use crate::contact::Request;
use crate::seal::{self, Purpose};

impl World {
    fn makes_link(&mut self, place: usize, chat: ChatId, approval: bool, max_uses: Option<u32>) -> String {
        let command = Command::InviteToGroup {
            chat,
            approval,
            expires_in_s: None,
            max_uses,
        };
        match self.command(place, command) {
            Some(Ok(Reply::Invited { link, .. })) => link,
            other => panic!("no link: {other:?}"),
        }
    }

    /// How a client shows a chat: whether it waits to be let in, and whether it is a member.
    fn shows(&self, place: usize, chat: ChatId) -> Option<(bool, bool)> {
        let view = history::chat(&self.nodes[place].disk, &chat).unwrap()?;
        Some((view.requested, view.member))
    }

    fn contacts(&self, place: usize) -> usize {
        history::contacts(&self.nodes[place].disk).unwrap().len()
    }

    fn waits(&self, place: usize) -> Vec<history::RequestView> {
        history::requests(&self.nodes[place].disk).unwrap()
    }

    fn links(&self, place: usize, chat: ChatId) -> Vec<history::GroupInviteView> {
        history::group_invites(&self.nodes[place].disk, &chat).unwrap()
    }

    /// A request as somebody else's program may write it.
    fn knocks(&mut self, place: usize, link: &str, change: impl FnOnce(&mut Request)) {
        let invite = Invite::from_link(link).unwrap();
        let host = (0..self.nodes.len())
            .find(|host| self.nodes[*host].client.invites.contains_key(&invite.card))
            .unwrap();
        let door = self.nodes[host].client.invites[&invite.card].clone();
        let client = &self.nodes[place].client;
        let inbox = client.new_inbox(self.now_ms).unwrap();
        let mut request = Request {
            details: client.details(&inbox),
            chat: invite.group.as_ref().unwrap().chat,
            node: crate::keys::NodeId([0; 32]),
            welcome: Vec::new(),
        };
        change(&mut request);
        let body = seal::seal_to(
            &client.crypto,
            door.suite,
            &door.seal_public,
            Purpose::Request,
            invite.requests.public(),
            &request.encode(),
        );
        let envelope = Envelope::sign(&invite.requests, 3600, &body.unwrap()).unwrap();
        let now_ms = self.now_ms;
        let host_client = &mut self.nodes[host].client;
        host_client.receive(now_ms, envelope.bytes()).unwrap();
        let step = host_client.drain().unwrap();
        self.commit(host, step);
        self.run();
    }
}

/// Alice, bob and carol are in a group; dave and erin are known to nobody.
fn village() -> (World, ChatId, usize, usize) {
    let Village { mut w, chat } = Village::new(3);
    let dave = w.another();
    let erin = w.another();
    (w, chat, dave, erin)
}

#[test]
fn a_link_without_approval_lets_a_guest_in_who_reads_and_writes() {
    for suite in [Suite::X25519, Suite::XWing] {
        let Village { mut w, chat } = Village::with(3, |_, config| config.suite = suite);
        let dave = w.another();
        let link = w.makes_link(ALICE, chat, false, None);
        let contacts = w.contacts(ALICE);
        assert_eq!(w.accept(dave, &link).unwrap(), chat);
        w.pass(60_000);
        w.agree(chat, &[ALICE, BOB, CAROL, dave]);
        assert_eq!(w.shows(dave, chat), Some((false, true)));
        w.send(dave, chat, "hello");
        w.send(BOB, chat, "welcome");
        w.pass(10_000);
        for place in [ALICE, BOB, CAROL, dave] {
            assert_eq!(w.nodes[place].texts(chat).len(), 2, "{place}");
        }
        let names = history::profile_names(&w.nodes[dave].disk, &chat).unwrap();
        assert_eq!(names.values().collect::<Vec<_>>().len(), 4, "{names:?}");
        let names = history::profile_names(&w.nodes[CAROL].disk, &chat).unwrap();
        assert_eq!(names.get(&w.account(dave)).map(String::as_str), Some("guest 3"));
        // Nobody became a contact by that.
        assert_eq!((w.contacts(dave), w.contacts(ALICE)), (0, contacts));
        assert!(w.waits(ALICE).is_empty());
        assert!(w.nodes[dave].client.reaches.is_empty() && w.nodes[ALICE].client.reaches.is_empty());
        assert_eq!(w.links(ALICE, chat)[0].uses, 1);
        // It is in already: the link changes nothing.
        let epoch = w.group(ALICE, chat).group.epoch();
        assert_eq!(w.accept(dave, &link).unwrap(), chat);
        w.pass(60_000);
        assert_eq!(w.group(ALICE, chat).group.epoch(), epoch);
    }
}

#[test]
fn with_approval_a_guest_waits_until_the_user_decides_also_over_restarts() {
    let (mut w, chat, dave, erin) = village();
    let link = w.makes_link(ALICE, chat, true, None);
    for guest in [dave, erin] {
        assert_eq!(w.accept(guest, &link).unwrap(), chat);
        assert_eq!(w.shows(guest, chat), Some((true, false)));
        let refused = w.try_send(guest, chat, "may I?", None);
        assert!(matches!(refused, Err(CommandError::NotAllowed { .. })), "{refused:?}");
    }
    w.pass(60_000);
    w.restart(dave);
    w.restart(ALICE);
    w.pass(60_000);
    assert_eq!(w.shows(dave, chat), Some((true, false)));
    let waiting = w.waits(ALICE);
    assert_eq!(waiting.len(), 2);
    assert!(waiting.iter().all(|request| request.chat == Some(chat)));
    let of = |w: &World, place: usize| {
        waiting
            .iter()
            .find(|one| one.account == w.account(place))
            .unwrap()
            .request
    };
    let (daves, erins) = (of(&w, dave), of(&w, erin));
    assert_eq!(w.approve(ALICE, daves).unwrap(), chat);
    w.does(ALICE, Command::Decline { request: erins });
    w.pass(60_000);
    w.agree(chat, &[ALICE, BOB, CAROL, dave]);
    assert_eq!(w.shows(erin, chat), Some((true, false)));
    assert!(w.waits(ALICE).is_empty());
    // What was decided stays decided, also if the relay brings it again.
    let requests = Invite::from_link(&link).unwrap().requests.public();
    w.restart(ALICE);
    w.pass(10_000);
    w.nodes[ALICE].client.fetch_again(requests);
    let step = w.nodes[ALICE].client.drain().unwrap();
    w.commit(ALICE, step);
    w.pass(60_000);
    assert!(w.waits(ALICE).is_empty());
    w.agree(chat, &[ALICE, BOB, CAROL, dave]);
    // Once the link has expired, the one who was declined isn't kept waiting.
    w.pass(8 * DAY_MS);
    assert_eq!(w.shows(erin, chat), None);
    assert!(w.nodes[erin].client.reaches.is_empty() && w.nodes[erin].client.guests.is_empty());
    assert!(w.links(ALICE, chat).is_empty());
}

#[test]
fn a_link_lets_in_as_many_as_it_says_and_none_once_it_was_taken_back() {
    let (mut w, chat, dave, erin) = village();
    let once = w.makes_link(ALICE, chat, false, Some(1));
    let other = w.makes_link(ALICE, chat, false, None);
    assert_eq!(w.links(ALICE, chat).len(), 2);
    w.accept(dave, &once).unwrap();
    w.pass(60_000);
    assert_eq!(w.shows(dave, chat), Some((false, true)));
    assert_eq!(w.links(ALICE, chat).len(), 1);
    w.does(ALICE, Command::RevokeInvite { link: other.clone() });
    assert!(w.links(ALICE, chat).is_empty());
    let again = w.command(ALICE, Command::RevokeInvite { link: other.clone() }).unwrap();
    assert!(matches!(again, Err(CommandError::NotFound { .. })), "{again:?}");
    for link in [once, other] {
        w.command(erin, Command::Accept { link });
        w.pass(60_000);
    }
    assert!(!w.shows(erin, chat).is_some_and(|(_, member)| member));
    assert!(!w.group(ALICE, chat).row.accounts.contains(&w.account(erin)));
    for max_uses in [0, 1001] {
        let command = Command::InviteToGroup {
            chat,
            approval: true,
            expires_in_s: None,
            max_uses: Some(max_uses),
        };
        let refused = w.command(ALICE, command).unwrap();
        assert!(matches!(refused, Err(CommandError::Invalid { .. })), "{refused:?}");
    }
}

#[test]
fn f44_only_admins_invite_and_the_links_of_who_is_none_any_more_are_dead() {
    let (mut w, chat, dave, erin) = village();
    let command = Command::InviteToGroup {
        chat,
        approval: false,
        expires_in_s: None,
        max_uses: None,
    };
    let refused = w.command(BOB, command).unwrap();
    assert!(matches!(refused, Err(CommandError::NotAllowed { .. })), "{refused:?}");
    w.gives_role(ALICE, chat, BOB, Role::Admin);
    w.pass(10_000);
    let bobs = w.makes_link(BOB, chat, false, None);
    let waiting = w.makes_link(BOB, chat, true, None);
    w.accept(erin, &waiting).unwrap();
    w.pass(10_000);
    assert_eq!(w.waits(BOB).len(), 1);
    w.gives_role(ALICE, chat, BOB, Role::Member);
    w.pass(10_000);
    assert!(w.links(BOB, chat).is_empty() && w.waits(BOB).is_empty());
    w.command(dave, Command::Accept { link: bobs });
    w.pass(60_000);
    assert_eq!(w.group(ALICE, chat).row.accounts.len(), 3);
    // So are those of who has left.
    let alices = w.makes_link(ALICE, chat, false, None);
    w.does(ALICE, Command::LeaveChat { chat });
    w.pass(60_000);
    assert!(!w.group(ALICE, chat).is_member());
    assert!(w.links(ALICE, chat).is_empty());
    w.command(dave, Command::Accept { link: alices });
    w.pass(60_000);
    assert!(!w.shows(dave, chat).is_some_and(|(_, member)| member));
}

#[test]
fn a_guest_that_two_admins_let_in_at_once_is_in_once() {
    let (mut w, chat, dave, _) = village();
    w.gives_role(ALICE, chat, BOB, Role::Admin);
    w.pass(60_000);
    let links = [ALICE, BOB].map(|place| w.makes_link(place, chat, false, None));
    // The requests wait at the relay until both admins are there at once, who haven't heard of each other's commits.
    for place in [ALICE, BOB] {
        w.stop(place);
    }
    for link in &links {
        assert_eq!(w.accept(dave, link).unwrap(), chat);
    }
    w.pass(1_000);
    for place in [ALICE, BOB] {
        w.restart(place);
    }
    w.pass(3_600_000);
    w.agree(chat, &[ALICE, BOB, CAROL, dave]);
    let members = &w.group(ALICE, chat).members;
    assert_eq!(members.len(), 4, "{members:?}");
    w.send(dave, chat, "once");
    w.pass(10_000);
    assert_eq!(w.nodes[CAROL].texts(chat), ["once"]);
}

#[test]
fn f45_who_was_removed_does_not_come_back_by_the_same_link_unless_the_user_wants() {
    let (mut w, chat, dave, _) = village();
    let link = w.makes_link(ALICE, chat, false, None);
    w.accept(dave, &link).unwrap();
    w.pass(60_000);
    w.removes(ALICE, chat, dave);
    w.pass(4 * DAY_MS);
    assert!(!w.group(dave, chat).is_member());
    assert_eq!(w.accept(dave, &link).unwrap(), chat);
    w.pass(60_000);
    assert_eq!(w.group(ALICE, chat).row.accounts.len(), 3);
    let request = w.waits(ALICE)[0].request;
    w.approve(ALICE, request).unwrap();
    w.pass(60_000);
    w.agree(chat, &[ALICE, BOB, CAROL, dave]);
    w.send(dave, chat, "here again");
    w.pass(10_000);
    assert_eq!(w.nodes[BOB].texts(chat), ["here again"]);
}

#[test]
fn f42_f43_requests_that_can_not_be_carried_out_are_dropped_and_floods_are_bounded() {
    let (mut w, chat, dave, erin) = village();
    let link = w.makes_link(ALICE, chat, true, None);
    let now_s = w.now_ms / 1000;
    let erins = w.nodes[erin]
        .client
        .new_package(true, now_s, now_s + 1000)
        .unwrap()
        .package;
    let bad: [&dyn Fn(&mut Request); 6] = [
        &|request| request.details.packages = vec![erins.clone()],
        &|request| request.details.packages.clear(),
        &|request| request.chat = ChatId([9; 32]),
        &|request| request.details.packages[0].not_after_s = now_s,
        &|request| request.details.packages[0].not_before_s = now_s + 60,
        &|request| request.details.packages[0].bytes.truncate(40),
    ];
    for change in bad {
        w.knocks(dave, &link, change);
        assert!(w.waits(ALICE).is_empty());
    }
    w.knocks(BOB, &link, |_| {});
    assert!(w.waits(ALICE).is_empty(), "a member asks");
    for _ in 0..3 {
        w.knocks(dave, &link, |_| {});
    }
    assert_eq!(w.waits(ALICE).len(), 1, "each request of one account is kept");
    // A card of a group offers nothing that strangers could use up.
    assert!(
        w.nodes[ALICE]
            .client
            .invites
            .values()
            .all(|invite| invite.packages.is_empty())
    );
    let epoch = w.group(ALICE, chat).group.epoch();
    let open = w.makes_link(ALICE, chat, false, Some(3));
    for _ in 0..5 {
        let guest = w.guest();
        w.nodes[guest].config.suite = w.nodes[ALICE].config.suite;
        if w.nodes[ALICE]
            .client
            .invites
            .contains_key(&Invite::from_link(&open).unwrap().card)
        {
            w.knocks(guest, &open, |_| {});
        }
    }
    w.pass(60_000);
    assert_eq!(w.group(ALICE, chat).row.accounts.len(), 6);
    assert_eq!(
        w.group(ALICE, chat).group.epoch(),
        epoch + 1,
        "those who come at once are added by one commit"
    );
}

#[test]
fn an_invite_of_a_group_is_none_to_a_chat_of_two() {
    let (mut w, chat, dave, _) = village();
    let link = w.makes_link(ALICE, chat, true, None);
    // Also contacts of the inviter ask for the group.
    w.befriend_two(ALICE, dave);
    assert_eq!(w.accept(dave, &link).unwrap(), chat);
    w.pass(10_000);
    assert_eq!(w.waits(ALICE).len(), 1);
    let own = w.command(ALICE, Command::Accept { link: link.clone() }).unwrap();
    assert!(matches!(own, Err(CommandError::OwnInvite)), "{own:?}");
    let invite = Invite::from_link(&link).unwrap();
    assert_eq!(
        invite.group.map(|group| (group.chat, group.name)),
        Some((chat, "village".into()))
    );
}
