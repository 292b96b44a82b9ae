//! What is said about a card that isn't the card's own.

/// A language in which that is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Korean.
    Korean,
}

impl Language {
    pub(super) fn words(self) -> &'static Words {
        match self {
            Self::English => &ENGLISH,
            Self::Korean => &KOREAN,
        }
    }
}

pub(super) struct Words {
    pub signed_by: &'static str,
    pub says: &'static str,
    pub proven: &'static str,
    pub claimed: &'static str,
    pub unsigned: &'static str,
    pub forged: &'static str,
    pub expired: &'static str,
    pub picture: &'static str,
    pub product: &'static str,
    pub price: &'static str,
    pub instead_of: &'static str,
    pub place: &'static str,
    pub address: &'static str,
    pub coordinates: &'static str,
    pub starts: &'static str,
    pub ends: &'static str,
    pub code: &'static str,
    pub terms: &'static str,
    pub app_says: &'static str,
    pub likes: &'static str,
    pub comments: &'static str,
    pub shared: &'static str,
    pub views: &'static str,
    pub subscribers: &'static str,
    pub opens_app: &'static str,
    pub replies: &'static str,
    pub copies: &'static str,
    pub follows: &'static str,
    pub hands_back: &'static str,
    pub shares: &'static str,
}

const ENGLISH: Words = Words {
    signed_by: "Signed by the app that calls itself",
    says: "which says it is of",
    proven: "proved to be of",
    claimed: "From a page, as the sender says:",
    unsigned: "No app signed this card: anybody may have written it.",
    forged: "The signature doesn't hold: this card isn't what its app signed.",
    expired: "This card has expired.",
    picture: "picture",
    product: "product",
    price: "price",
    instead_of: "instead of",
    place: "place",
    address: "address",
    coordinates: "coordinates",
    starts: "starts",
    ends: "ends",
    code: "code",
    terms: "terms",
    app_says: "the app says",
    likes: "likes",
    comments: "comments",
    shared: "shared",
    views: "views",
    subscribers: "subscribers",
    opens_app: "opens the app",
    replies: "begins an answer",
    copies: "copies a text",
    follows: "follows a channel",
    hands_back: "hands something to the app",
    shares: "shares it in another chat",
};

const KOREAN: Words = Words {
    signed_by: "서명한 앱(스스로 밝힌 이름):",
    says: "소속이라고 밝힌 도메인",
    proven: "확인된 도메인",
    claimed: "보낸 사람이 밝힌 페이지:",
    unsigned: "서명한 앱이 없는 카드입니다. 누구나 쓸 수 있습니다.",
    forged: "서명이 맞지 않습니다. 앱이 서명한 카드가 아닙니다.",
    expired: "기한이 지난 카드입니다.",
    picture: "그림",
    product: "상품",
    price: "가격",
    instead_of: "정가",
    place: "장소",
    address: "주소",
    coordinates: "좌표",
    starts: "시작",
    ends: "끝",
    code: "코드",
    terms: "조건",
    app_says: "앱이 밝힌 수",
    likes: "좋아요",
    comments: "댓글",
    shared: "공유",
    views: "조회",
    subscribers: "구독",
    opens_app: "앱을 엽니다",
    replies: "답장을 시작합니다",
    copies: "글을 복사합니다",
    follows: "채널을 팔로우합니다",
    hands_back: "앱에 내용을 전달합니다",
    shares: "다른 채팅에 공유합니다",
};
