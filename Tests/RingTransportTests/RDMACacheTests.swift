import RingCore
import RingSystem
import RingTestSupport
import RingTransport
import RingTransportTesting
import Testing

@testable import RingTransportRDMA

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What a transport leases: links use it while the lease lasts, and no longer.
@Suite struct RDMACacheTests {
    private static func withLinks(
        _ options: RDMAOptions = RDMARanks.options(), _ body: (RDMARanks, any Link, any Link) throws -> Void
    ) throws {
        let ranks = try RDMARanks(2, options)
        do {
            defer { for transport in ranks.transports { transport.shutdown() } }
            let (low, high) = try connect(ranks.transports[0], ranks.transports[1])
            defer {
                low.close()
                high.close()
            }
            try body(ranks, low, high)
        }
        #expect(ranks.fabric.violations == [])
    }

    @Test func linksLendWhatIsLeased() throws {
        try Self.withLinks { ranks, low, _ in
            let (transport, area) = (ranks.transports[0], MappedMemory(byteCount: 2 << 20))
            let before = ranks.verbs[0].count(.registerMemory)
            for _ in 0..<3 {
                #expect(!low.lends(area.all))
                var lease = transport.lease(area.all)
                #expect(lease != nil && low.lends(area.all))
                // It is the operation's, and nobody else's.
                #expect(!transport.isRegistered(area.all.baseAddress!))
                lease = nil
            }
            #expect(!low.lends(area.all))
            #expect(ranks.verbs[0].count(.registerMemory) == before + 1)
        }
    }

    /// Leases of parts and of all, side by side, each for as long as it lasts.
    @Test func leasesMayOverlap() throws {
        try Self.withLinks { ranks, low, _ in
            let (transport, area) = (ranks.transports[0], MappedMemory(byteCount: 4 << 20))
            let part = UnsafeRawBufferPointer(rebasing: area.all[5000..<(2 << 20)])
            let rest = UnsafeRawBufferPointer(rebasing: area.all[(2 << 20)...])
            var whole = transport.lease(area.all)
            var piece = transport.lease(part)
            #expect(whole != nil && piece != nil)
            #expect(low.lends(rest) && low.lends(part) && low.lends(area.all))
            whole = nil
            #expect(!low.lends(rest) && low.lends(part) && !low.lends(area.all))
            piece = nil
            #expect(!low.lends(part))
        }
    }

    /// Other memory in the same place is not taken for what was there.
    @Test func whatIsReplacedIsRegisteredAnew() throws {
        try Self.withLinks { ranks, low, high in
            let (transport, area) = (ranks.transports[0], MappedMemory(byteCount: 2 << 20))
            for round in 1...3 {
                let lease = try #require(transport.lease(area.all))
                #expect(try Self.send(area.all, over: low, to: high))
                withExtendedLifetime(lease) {}
                // Links have two regions each.
                #expect(ranks.verbs[0].count(.registerMemory) == 2 + round)
                area.replace()
            }
            #expect(transport.lease(area.all) != nil)
            // What was there before is not registered any more.
            #expect(ranks.fabric.liveObjects(of: ranks.verbs[0])["memory regions"] == 3)
        }
    }

    /// Sends leased memory, to be written; whether it arrives as it is.
    private static func send(
        _ bytes: UnsafeRawBufferPointer, over sender: any Link, to receiver: any Link
    ) throws -> Bool {
        let deadline = Deadline.after(.seconds(60))
        let received = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 64)
        defer { received.deallocate() }
        var (sent, settled, taken, hasHeader) = (0, 0, 0, false)
        sender.beginFrame(RDMAFrames.header(bytes.count))
        while settled < bytes.count || taken < bytes.count {
            if sent < bytes.count {
                sent += try sender.send(
                    lending: UnsafeRawBufferPointer(rebasing: bytes[sent...]), fetched: false)
            }
            settled += try sender.takeSettled()
            if hasHeader {
                taken += try receiver.receive(
                    into: UnsafeMutableRawBufferPointer(rebasing: received[taken...]))
            } else {
                hasHeader = try receiver.receiveHeader(readAhead: 0) != nil
            }
            if deadline.hasPassed { throw CollectiveError(.timedOut, "a frame did not arrive", peer: 0) }
        }
        return received.elementsEqual(bytes)
    }

    /// What fits into a ring need not be registered, and a cache of nothing keeps nothing.
    @Test func fewestBytes() throws {
        for (slotSize, fewest) in [(4096, 1 << 20), (65_536, 2 << 20)] {
            try Self.withLinks(RDMARanks.options(slotSize: slotSize)) { ranks, _, _ in
                #expect(ranks.transports[0].fewestLeasedBytes == fewest)
                let area = MappedMemory(byteCount: 2 << 20)
                #expect(ranks.transports[0].lease(area.all) != nil)
                #expect(
                    ranks.transports[0].lease(UnsafeRawBufferPointer(rebasing: area.all[..<(fewest - 1)]))
                        == nil)
            }
        }
        var options = RDMARanks.options()
        options.cachedBytes = 0
        try Self.withLinks(options) { ranks, _, _ in
            #expect(ranks.transports[0].fewestLeasedBytes == nil)
            #expect(ranks.transports[0].lease(MappedMemory(byteCount: 2 << 20).all) == nil)
        }
    }

    /// Where the system does not tell when memory goes, none is leased.
    @Test func withoutAWatch() throws {
        let fabric = SoftwareFabric()
        let transport = try RDMARanks.transport(rank: 0, fabric.verbs(), on: fabric) {
            () throws(SystemError) in throw SystemError("userfaultfd", EPERM)
        }
        defer { transport.shutdown() }
        #expect(transport.fewestLeasedBytes != nil)
        #expect(transport.lease(MappedMemory(byteCount: 2 << 20).all) == nil)
        #expect(transport.fewestLeasedBytes == nil)
    }

    /// The end of a transport leaves nothing, and nobody who waits to unmap.
    @Test func nothingIsLeft() throws {
        let fabric = SoftwareFabric()
        var ranks: RDMARanks? = try RDMARanks(fabric: fabric)
        var areas = (0..<6).map { _ in MappedMemory(byteCount: 2 << 20) }
        for (index, area) in areas.enumerated() {
            #expect(ranks!.transports[index % 2].lease(area.all) != nil)
        }
        for transport in ranks!.transports { transport.shutdown() }
        #expect(fabric.liveObjects()["memory regions"] == nil)
        areas = []
        ranks = nil
        #expect(RDMARanks.leftOver(on: fabric) == [:])
        #expect(fabric.violations == [])
    }
}
