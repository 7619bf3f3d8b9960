import RingCore
import RingSystem
import RingTransport
import RingTransportTesting
import Testing

@testable import RingTransportRDMA

/// What is sent from registered memory, over software devices that show when it is used.
@Suite struct RDMALendingTests {
    private static func lend(_ ranks: RDMARanks, _ low: any Link, _ high: any Link, fetched: Bool) throws {
        try RDMAFrames.lend(
            1 << 20, fetched: fetched, over: low, of: ranks.transports[0], to: high, of: ranks.transports[1],
            until: .after(.seconds(60)))
    }

    private static func withLink(
        _ ranks: RDMARanks, _ body: (any Link, any Link) throws -> Void
    ) throws {
        defer { for transport in ranks.transports { transport.shutdown() } }
        let (low, high) = try connect(ranks.transports[0], ranks.transports[1])
        defer {
            low.close()
            high.close()
        }
        try body(low, high)
    }

    /// Fetched bytes are copied nowhere; written ones are, by a receiver that stores them.
    @Test func copiesNothingThatIsFetched() throws {
        let ranks = try RDMARanks()
        try Self.withLink(ranks) { low, high in
            try Self.lend(ranks, low, high, fetched: true)
            #expect(ranks.transports.map(\.copiedBytes) == [0, 0])
            try Self.lend(ranks, low, high, fetched: false)
            #expect(ranks.transports.map(\.copiedBytes) == [0, 1 << 20])
        }
        #expect(ranks.fabric.violations == [])
    }

    /// Devices that allow one read at a time, or none: then the bytes are written.
    @Test(arguments: [0, 1, 2]) func managesWithFewReads(_ depth: Int) throws {
        let fabric = SoftwareFabric()
        fabric.setReadDepth(depth)
        let ranks = try RDMARanks(fabric: fabric)
        try Self.withLink(ranks) { low, high in
            try Self.lend(ranks, low, high, fetched: true)
            #expect(ranks.transports[1].copiedBytes == (depth == 0 ? 1 << 20 : 0))
        }
        #expect(fabric.violations == [])
    }

    /// Nothing is settled before the peer has fetched it, or the device has written it.
    @Test(arguments: [SendRequest.Kind.read, .writeWithImmediate]) func settlesLate(_ kind: SendRequest.Kind)
        throws
    {
        let ranks = try RDMARanks()
        try Self.withLink(ranks) { low, high in
            let sent = try TestArea(50_000, ranks.transports[0])
            let received = try TestArea(50_000, ranks.transports[1])
            sent.bytes.initializeMemory(as: UInt8.self, repeating: 3)
            low.beginFrame(RDMAFrames.header(50_000))
            // The header is on its way before anything is held.
            while low.hasUnsentHeader { _ = try low.send(UnsafeRawBufferPointer(start: nil, count: 0)) }
            try RDMAFrames.awaitHeader(over: high, until: .after(.seconds(60)))
            ranks.fabric.hold(kind)
            let isFetched = kind == .read
            #expect(try low.send(lending: UnsafeRawBufferPointer(sent.bytes), fetched: isFetched) == 50_000)
            for _ in 0..<10 {
                #expect(try high.receive(into: received.bytes) == 0)
                #expect(try low.takeSettled() == 0)
            }
            #expect(ranks.fabric.heldCount > 0)
            ranks.fabric.letGo()
            if !isFetched {
                #expect(try low.takeSettled() == 50_000)
            }
            #expect(try high.receive(into: received.bytes) == 50_000)
            if isFetched {
                #expect(try low.takeSettled() == 50_000)
            }
            #expect(received.bytes.allSatisfy { $0 == 3 })
        }
        #expect(ranks.fabric.violations == [])
    }

    /// Whoever gives up while bytes are fetched, or on offer, has the memory back: it may be given back at once, and what
    /// happens to it later reaches nobody.
    @Test(arguments: [0, 1]) func relinquishes(_ givingUp: Rank) throws {
        let ranks = try RDMARanks()
        try Self.withLink(ranks) { low, high in
            var sent: TestArea? = try TestArea(50_000, ranks.transports[0])
            var received: TestArea? = try TestArea(50_000, ranks.transports[1])
            low.beginFrame(RDMAFrames.header(50_000))
            ranks.fabric.hold(.read)
            #expect(try low.send(lending: UnsafeRawBufferPointer(sent!.bytes), fetched: true) == 50_000)
            try RDMAFrames.awaitHeader(over: high, until: .after(.seconds(60)))
            #expect(try high.receive(into: received!.bytes) == 0)
            (givingUp == 0 ? low : high).relinquish(by: .after(.seconds(60)))
            sent!.bytes.initializeMemory(as: UInt8.self, repeating: 9)
            if givingUp == 0 { sent = nil } else { received = nil }
            ranks.fabric.letGo()
            let error = #expect(throws: CollectiveError.self) {
                if givingUp == 0 {
                    while true { _ = try high.receive(into: received!.bytes) }
                } else {
                    while true { _ = try high.receive(into: sent!.bytes) }
                }
            }
            #expect(error?.code == .peerLost)
            if let received { #expect(received.bytes.allSatisfy { $0 == 0 }) }
            high.relinquish(by: .after(.seconds(60)))
            low.relinquish(by: .after(.seconds(60)))
        }
        #expect(ranks.fabric.violations == [])
    }

    /// Memory that is given back is not known any more, nor is what is put in its place.
    @Test func forgetsWhatIsGivenBack() throws {
        let ranks = try RDMARanks()
        try Self.withLink(ranks) { low, _ in
            let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 4096)
            defer { bytes.deallocate() }
            #expect(!low.lends(UnsafeRawBufferPointer(bytes)))
            var registration = try ranks.transports[0].register(bytes)
            #expect(registration != nil)
            #expect(low.lends(UnsafeRawBufferPointer(bytes)))
            #expect(!low.lends(UnsafeRawBufferPointer(rebasing: bytes[..<100])))
            #expect(!low.lends(UnsafeRawBufferPointer(start: bytes.baseAddress, count: bytes.count + 1)))
            registration = nil
            #expect(!low.lends(UnsafeRawBufferPointer(bytes)))
            #expect(!ranks.transports[0].isRegistered(bytes.baseAddress!))
        }
    }

    @Test func tooLittleLockedMemoryIsExplained() throws {
        let ranks = try RDMARanks()
        defer { for transport in ranks.transports { transport.shutdown() } }
        ranks.verbs[0].fail(.registerMemory, with: 12)
        let error = #expect(throws: CollectiveError.self) { _ = try TestArea(1 << 16, ranks.transports[0]) }
        #expect(error?.code == .system)
        #expect(error?.message.contains("65536 bytes") == true)
    }
}
