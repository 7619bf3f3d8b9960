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

/// How connections are made, refused and given up.
@Suite struct RDMADialTests {
    private static func link(
        _ transport: RDMATransport, to peer: Rank, within limit: Duration = .seconds(20)
    ) -> CollectiveError? {
        #expect(throws: CollectiveError.self) {
            _ = try transport.link(to: peer, LinkIdentifier(channel: 0), deadline: .after(limit))
        }
    }

    /// Two ranks of a fabric, as told.
    private static func pair(
        worldSizes: (Int, Int) = (2, 2), keys: (UInt64, UInt64) = (1, 1),
        options: (RDMAOptions, RDMAOptions) = (RDMARanks.options(), RDMARanks.options()),
        prepare: (SoftwareVerbs) -> Void = { _ in },
        _ body: (RDMATransport, RDMATransport) throws -> Void
    ) throws {
        let fabric = SoftwareFabric()
        try pair(on: fabric, worldSizes, keys, options, prepare, body)
        #expect(fabric.violations == [])
        #expect(RDMARanks.leftOver(on: fabric) == [:])
    }

    private static func pair(
        on fabric: SoftwareFabric, _ worldSizes: (Int, Int), _ keys: (UInt64, UInt64),
        _ options: (RDMAOptions, RDMAOptions), _ prepare: (SoftwareVerbs) -> Void,
        _ body: (RDMATransport, RDMATransport) throws -> Void
    ) throws {
        let verbs = fabric.verbs()
        prepare(verbs)
        let low = try RDMARanks.transport(
            rank: 0, worldSize: worldSizes.0, fabric.verbs(), on: fabric, options.0, key: keys.0)
        let high = try RDMARanks.transport(
            rank: 1, worldSize: worldSizes.1, verbs, on: fabric, options.1, key: keys.1)
        defer {
            low.shutdown()
            high.shutdown()
        }
        for transport in [low, high] { try transport.meet([low.card, high.card]) }
        try body(low, high)
    }

    @Test func anotherSecretIsRefused() throws {
        try Self.pair(keys: (1, 2)) { _, high in
            let error = Self.link(high, to: 0)
            #expect(error?.code == .authenticationFailed)
            #expect(error?.peer == 0)
            #expect(error?.message.contains("RING_JOB_SECRET") == true)
        }
    }

    @Test func anotherWorldSizeIsRefused() throws {
        try Self.pair(worldSizes: (3, 2)) { _, high in
            let error = Self.link(high, to: 0)
            #expect(error?.code == .rendezvousFailed)
            #expect(error?.message.contains("another world size") == true)
        }
    }

    @Test func anotherRingIsRefused() throws {
        try Self.pair(options: (RDMARanks.options(slotCount: 64), RDMARanks.options())) { _, high in
            let error = Self.link(high, to: 0)
            #expect(error?.code == .invalidConfiguration)
            #expect(error?.message.contains("64 slots of 4096") == true)
        }
    }

    /// Each event that says no has words that say what it was about.
    @Test(arguments: [
        (
            SoftwareVerbs.Call.resolveAddress, ConnectionEvent.Kind.addressFailed,
            "cannot resolve the RDMA address"
        ),
        (.resolveRoute, .routeFailed, "no RDMA route"), (.resolveRoute, .unreachable, "cannot connect"),
        (.resolveAddress, .deviceRemoved, "device has been removed"),
    ])
    func eventsHaveWords(call: SoftwareVerbs.Call, kind: ConnectionEvent.Kind, words: String) throws {
        try Self.pair(prepare: { $0.end(call, with: kind) }) { _, high in
            let error = Self.link(high, to: 0)
            #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
        }
    }

    @Test func nobodyListens() throws {
        try Self.pair { low, high in
            low.shutdown()
            let error = Self.link(high, to: 0)
            #expect(error?.code == .unreachable)
            #expect(error?.message.contains("nobody listens") == true)
        }
    }

    @Test func reachingIsTriedWithoutALink() throws {
        try Self.pair { low, high in
            try high.tryReaching(0, deadline: .after(.seconds(20)))
            // Nothing has arrived from it.
            #expect(Self.link(low, to: 1, within: .milliseconds(20))?.code == .timedOut)
        }
        try Self.pair(keys: (1, 2)) { _, high in
            let error = #expect(throws: CollectiveError.self) {
                try high.tryReaching(0, deadline: .after(.seconds(20)))
            }
            #expect(error?.code == .authenticationFailed)
        }
    }

    /// The error of a device that cannot be used says what is in the way.
    @Test(arguments: [
        (SoftwareVerbs.Call.createEventChannel, EACCES, CollectiveError.Code.system, "/dev/infiniband"),
        (.createEventChannel, ENODEV, .unsupported, "no RDMA device"),
        (.createEventChannel, ENFILE, .system, "cannot use RDMA"),
        (.bind, ENODEV, .unsupported, "no RDMA device"),
        (.port, EIO, .unsupported, "no RDMA device to use"),
    ])
    func beginningFails(
        call: SoftwareVerbs.Call, number: Int32, code: CollectiveError.Code, words: String
    ) throws {
        let fabric = SoftwareFabric()
        let verbs = fabric.verbs()
        verbs.fail(call, with: number)
        let error = #expect(throws: CollectiveError.self) {
            _ = try RDMARanks.transport(rank: 0, verbs, on: fabric)
        }
        #expect(error?.code == code)
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
        #expect(RDMARanks.leftOver(on: fabric) == [:])
    }

    @Test func memoryThatCannotBeLockedIsExplained() {
        let error = RDMAErrors.setUp(.memory(SystemError("ibv_reg_mr", ENOMEM), byteCount: 4711), rank: 3)
        #expect(error.code == .system && error.peer == 3)
        #expect(error.message.contains("4711 bytes"))
        if let limit = LockedMemory.limit {
            #expect(error.message.contains("\(limit) bytes"))
            #expect(error.message.contains("ulimit -l"))
        }
    }

    @Test func inactivePortsAndOtherDevicesAreNamed() throws {
        let address = SocketAddress(host: [10, 77, 0, 1], port: 0)
        let fabric = SoftwareFabric(devices: [
            SoftwareFabric.Device(name: "soft7", isActive: false, addresses: [address])
        ])
        let error = #expect(throws: CollectiveError.self) {
            _ = try RDMARanks.transport(rank: 0, fabric.verbs(), on: fabric)
        }
        #expect(error?.code == .unsupported)
        #expect(error?.message.contains("soft7:1 is down") == true)
        var options = RDMARanks.options()
        options.device = "soft9"
        let other = #expect(throws: CollectiveError.self) {
            _ = try RDMARanks.transport(rank: 0, fabric.verbs(), on: fabric, options)
        }
        #expect(other?.message.contains("belongs to the RDMA device soft7:1") == true)
    }

    @Test func portsAreTriedInTurn() throws {
        let fabric = SoftwareFabric()
        var options = RDMARanks.options()
        options.portRange = 5000...5001
        let transports = try (0..<2).map {
            try RDMARanks.transport(rank: $0, fabric.verbs(), on: fabric, options)
        }
        #expect(transports.map { $0.ownCard.addresses[0].port } == [5000, 5001])
        #expect(throws: CollectiveError.self) {
            _ = try RDMARanks.transport(rank: 0, fabric.verbs(), on: fabric, options)
        }
        for transport in transports { transport.shutdown() }
    }
}
