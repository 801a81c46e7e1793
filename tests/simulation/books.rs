//! The books at any time of a life: whatever failed and whoever crashed, what the log says is what stands.

use firsttouch::adapters::store::SqlStore;
use firsttouch::domain::audit::Rule;
use firsttouch::engine::verify;

use super::world::World;

/// Derives everything again from the log; a difference is a finding.
pub async fn agree(world: &World, store: &SqlStore) {
    let verified = verify::verify(store, store, world.now(), &mut ()).await.expect("verified");
    // The people of this world were put into the store by hand, with their addresses alone.
    let real = verified.findings.iter().filter(|finding| finding.rule != Rule::Identity);
    for finding in real {
        world.finding(&format!(
            "promise 11: {}: {}; should be: {}",
            finding.row, finding.stands, finding.should
        ));
    }
}
