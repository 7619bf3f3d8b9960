import RingCore
import RingSystem
import RingTransport
import RingTransportTesting
import Testing

@testable import RingTransportRDMA

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Every verbs call fails once, at every place where it is made; then nothing may be left over.
@Suite struct RDMAFaultTests {
    /// The calls that a rank makes before it listens, and those it makes for a link.
    private static let calls = SoftwareVerbs.Call.allCases.filter {
        ![.devices, .setTrafficClass].contains($0)
    }

    /// One rank dials the other and both send a frame each way, whatever comes of it.
    private static func exchange(_ ranks: RDMARanks, within limit: Duration) throws {
        let deadline = Deadline.after(limit)
        let high = try ranks.transports[1].link(to: 0, LinkIdentifier(channel: 0), deadline: deadline)
        defer { high.close() }
        let low = try ranks.transports[0].link(to: 1, LinkIdentifier(channel: 0), deadline: deadline)
        defer { low.close() }
        for (from, to) in [(low, high), (high, low)] {
            try RDMAFrames.send(200_000, over: from, to: to, until: deadline)
        }
    }

    /// A call that fails makes whoever waits fail, with an error of this library, or does no harm; and leaves nothing.
    @Test(arguments: calls, [0, 1])
    func failsCleanly(_ call: SoftwareVerbs.Call, _ failing: Rank) throws {
        // How often the call is made when nothing fails.
        let count = try Self.countCalls(call, by: failing)
        for index in 0..<min(count, 24) {
            try Self.expectNoHarm(of: call, by: failing, at: index) {
                try Self.exchange($0, within: .milliseconds(400))
            }
        }
    }

    /// Connects two ranks for `body` while the call fails once, when it is made for the index-th time.
    private static func expectNoHarm(
        of call: SoftwareVerbs.Call, by failing: Rank, at index: Int, _ body: (RDMARanks) throws -> Void
    ) throws {
        let fabric = SoftwareFabric()
        let verbs = [fabric.verbs(), fabric.verbs()]
        verbs[failing].fail(call, after: index, with: ENOMEM)
        do {
            let ranks = try RDMARanks(verbs: verbs, fabric: fabric)
            defer { for transport in ranks.transports { transport.shutdown() } }
            try body(ranks)
        } catch let error as CollectiveError {
            #expect(!error.message.isEmpty && !error.message.contains("\n"))
            #expect(error.peer != nil)
        }
        #expect(RDMARanks.leftOver(on: fabric) == [:], "\(call) \(index)")
        #expect(fabric.violations == [], "\(call) \(index)")
    }

    /// The same of what is sent from memory that is registered, where bytes are fetched or written.
    @Test(
        arguments: [.registerMemory, .postSend, .postReceives, .poll, .fail] as [SoftwareVerbs.Call], [0, 1])
    func failsCleanlyWhenLending(_ call: SoftwareVerbs.Call, _ failing: Rank) throws {
        for fetched in [true, false] {
            let all = try RDMARanks()
            try Self.lend(all, fetched: fetched, within: .seconds(20))
            for transport in all.transports { transport.shutdown() }
            let count = all.verbs[failing].count(call)
            for index in 0..<min(count, 40) {
                try Self.expectNoHarm(of: call, by: failing, at: index) {
                    try Self.lend($0, fetched: fetched, within: .milliseconds(400))
                }
            }
        }
    }

    /// One rank dials the other and lends it a frame.
    private static func lend(_ ranks: RDMARanks, fetched: Bool, within limit: Duration) throws {
        let deadline = Deadline.after(limit)
        let high = try ranks.transports[1].link(to: 0, LinkIdentifier(channel: 0), deadline: deadline)
        defer { high.close() }
        let low = try ranks.transports[0].link(to: 1, LinkIdentifier(channel: 0), deadline: deadline)
        defer { low.close() }
        try RDMAFrames.lend(
            300_000, fetched: fetched, over: low, of: ranks.transports[0], to: high, of: ranks.transports[1],
            until: deadline)
    }

    private static func countCalls(_ call: SoftwareVerbs.Call, by rank: Rank) throws -> Int {
        let ranks = try RDMARanks()
        defer { for transport in ranks.transports { transport.shutdown() } }
        try exchange(ranks, within: .seconds(20))
        return ranks.verbs[rank].count(call)
    }

    @Test func connectsAndClosesAThousandTimes() throws {
        let fabric = SoftwareFabric()
        try Self.connectAndClose(1000, on: fabric)
        #expect(RDMARanks.leftOver(on: fabric) == [:])
        #expect(fabric.violations == [])
    }

    private static func connectAndClose(_ count: Int, on fabric: SoftwareFabric) throws {
        let ranks = try RDMARanks(2, RDMARanks.options(slotSize: 256, slotCount: 8), fabric: fabric)
        defer { for transport in ranks.transports { transport.shutdown() } }
        var most = 0
        for round in 0..<count {
            let identifier = LinkIdentifier(epoch: UInt32(round), channel: UInt16(round % 3))
            let (low, high) = try connect(ranks.transports[0], ranks.transports[1], identifier)
            try RDMAFrames.send(1000, over: low, to: high, until: .after(.seconds(60)))
            (round.isMultiple(of: 2) ? low : high).close()
            most = max(most, ranks.fabric.liveObjects()["queue pairs", default: 0])
        }
        // Ends that are under way are few.
        #expect(most < 100)
    }

    /// Loses what both ends need to notice, each in its way.
    @Test(arguments: [0, 1])
    func peersDeathIsNoticed(_ dying: Rank) throws {
        let ranks = try RDMARanks()
        defer { for transport in ranks.transports { transport.shutdown() } }
        let (low, high) = try connect(ranks.transports[0], ranks.transports[1])
        ranks.verbs[dying].die()
        let survivor = dying == 0 ? high : low
        let error = #expect(throws: CollectiveError.self) {
            try RDMAFrames.awaitHeader(over: survivor, until: .after(.seconds(60)))
        }
        #expect(error?.code == .peerLost)
        #expect(error?.peer == dying)
    }

    @Test func lostPacketsNameThePeer() throws {
        let ranks = try RDMARanks()
        defer { for transport in ranks.transports { transport.shutdown() } }
        let (low, high) = try connect(ranks.transports[0], ranks.transports[1])
        ranks.verbs[1].cutOff()
        let error = #expect(throws: CollectiveError.self) {
            try RDMAFrames.send(1_000_000, over: low, to: high, until: .after(.seconds(60)))
        }
        #expect(error?.code == .peerLost)
        #expect(error?.peer == 1)
        #expect(error?.message.contains("RDMA write with rank 1") == true)
        #expect(error?.message.contains("retries exceeded") == true)
    }

    @Test func removedDeviceEndsLinks() throws {
        let ranks = try RDMARanks()
        defer { for transport in ranks.transports { transport.shutdown() } }
        let (low, high) = try connect(ranks.transports[0], ranks.transports[1])
        ranks.verbs[0].removeDevice()
        let error = #expect(throws: CollectiveError.self) {
            try RDMAFrames.awaitHeader(over: low, until: .after(.seconds(60)))
        }
        #expect(error?.message.contains("device") == true)
        // Nobody else can come.
        let refusal = #expect(throws: CollectiveError.self) {
            _ = try ranks.transports[1].link(
                to: 0, LinkIdentifier(channel: 1), deadline: .after(.seconds(60)))
        }
        #expect(refusal?.code == .unreachable)
        high.close()
    }
}
