/// A closed set of values, each with the one name by which people and the CDN know it. It is stored by that name.
macro_rules! names {
    (
        $(#[$doc:meta])*
        $name:ident { $($(#[$of:meta])* $variant:ident = $text:literal,)+ }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$of])* #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// Every value there is.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            /// The value of this name.
            pub fn find(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.as_str() == name)
            }
        }
    };
}

pub(super) use names;
