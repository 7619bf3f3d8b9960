import Foundation
import RingProcessSupport
import Testing

/// Ranks as processes that reduce over the RDMA device that this machine has, one of which is killed or stopped. They run
/// where `RING_TEST_RDMA` says that it has one.
@Suite(.serialized, .enabled(if: ProcessInfo.processInfo.environment["RING_TEST_RDMA"] != nil))
struct RDMARealDeviceFaultTests {
    /// A device that is emulated is slow; the times that are promised are held to over TCP.
    private static let patience = 60.0

    private func startBusyRanks(timeout: Int) throws -> [RankProcess] {
        // Of 1 MiB: in mid-collective most of the time, and done with the first soon.
        let ranks = try startRanks(
            3, program: "fault-subject", mode: "busy 262144", timeout: timeout,
            settings: ["RING_TRANSPORT": "rdma"])
        try awaitReady(ranks, within: Self.patience)
        return ranks
    }

    @Test(arguments: [0, 2]) func killedRankIsNamed(victim: Int) throws {
        let ranks = try startBusyRanks(timeout: 60)
        ranks[victim].signal(SIGKILL)
        expectAll(ranks, name: victim, within: Self.patience)
    }

    @Test(arguments: [0, 2]) func stoppedRankIsNamed(victim: Int) throws {
        let ranks = try startBusyRanks(timeout: 10)
        ranks[victim].signal(SIGSTOP)
        expectAll(ranks, name: victim, within: Self.patience)
    }
}
