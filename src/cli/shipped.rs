//! The files that come with the program: what `init` writes and what the demo runs.

/// Path in the workspace, and text.
pub(super) const SHIPPED: &[(&str, &str)] = &[
    ("cadences/saas-outbound-14d.yaml", include_str!("../../cadences/saas-outbound-14d.yaml")),
    ("cadences/short-outbound-7d.yaml", include_str!("../../cadences/short-outbound-7d.yaml")),
    ("profiles/revops-saas.yaml", include_str!("../../profiles/revops-saas.yaml")),
    ("profiles/vp-sales-saas.yaml", include_str!("../../profiles/vp-sales-saas.yaml")),
    ("schema/cadence.v1.schema.json", include_str!("../../schema/cadence.v1.schema.json")),
    ("schema/profile.v1.schema.json", include_str!("../../schema/profile.v1.schema.json")),
    ("templates/bump-one-question.hbs", include_str!("../../templates/bump-one-question.hbs")),
    ("templates/close-the-loop.hbs", include_str!("../../templates/close-the-loop.hbs")),
    ("templates/intro-pain.hbs", include_str!("../../templates/intro-pain.hbs")),
    ("templates/intro-trigger.hbs", include_str!("../../templates/intro-trigger.hbs")),
    (
        "templates/just-left-you-a-voicemail.hbs",
        include_str!("../../templates/just-left-you-a-voicemail.hbs"),
    ),
    ("templates/li-connect-note.hbs", include_str!("../../templates/li-connect-note.hbs")),
    ("templates/li-message-resource.hbs", include_str!("../../templates/li-message-resource.hbs")),
    (
        "templates/new-angle-cost-of-waiting.hbs",
        include_str!("../../templates/new-angle-cost-of-waiting.hbs"),
    ),
    ("templates/opener-discovery.hbs", include_str!("../../templates/opener-discovery.hbs")),
    ("templates/opener-last.hbs", include_str!("../../templates/opener-last.hbs")),
    ("templates/opener-proof.hbs", include_str!("../../templates/opener-proof.hbs")),
    (
        "templates/proof-similar-company.hbs",
        include_str!("../../templates/proof-similar-company.hbs"),
    ),
    ("templates/research-checklist.hbs", include_str!("../../templates/research-checklist.hbs")),
    ("templates/short-intro.hbs", include_str!("../../templates/short-intro.hbs")),
    ("templates/vm-first.hbs", include_str!("../../templates/vm-first.hbs")),
    ("templates/vm-last.hbs", include_str!("../../templates/vm-last.hbs")),
    ("templates/vm-proof.hbs", include_str!("../../templates/vm-proof.hbs")),
    ("templates/partials/signature.hbs", include_str!("../../templates/partials/signature.hbs")),
    (
        "templates/partials/who-is-this.hbs",
        include_str!("../../templates/partials/who-is-this.hbs"),
    ),
    ("lists/demo.csv", include_str!("../../lists/demo.csv")),
];
