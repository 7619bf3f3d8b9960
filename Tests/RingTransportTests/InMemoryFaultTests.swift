import RingCore
import RingTransport
import Testing

@Suite struct InMemoryFaultTests {
    private static func header(_ length: Int, sequence: UInt64 = 0) -> FrameHeader {
        FrameHeader(
            kind: .data, communicator: 0, epoch: 0, sequence: sequence,
            signature: OperationSignature(
                collective: .allReduce, dataType: .uint8, op: .sum, elementCount: length, root: nil,
                algorithm: AlgorithmCode(name: "ring")),
            length: UInt32(length))
    }

    private static func send(_ bytes: [UInt8], over link: any Link, sequence: UInt64 = 0) throws {
        link.beginFrame(header(bytes.count, sequence: sequence))
        let accepted = try bytes.withUnsafeBytes { try link.send($0) }
        #expect(accepted == bytes.count)
        #expect(!link.hasUnsentHeader)
    }

    /// The next frame's payload, if it is there.
    private static func receive(over link: any Link) throws -> [UInt8]? {
        guard let header = try link.receiveHeader(readAhead: 0) else { return nil }
        var bytes = [UInt8](repeating: 0, count: Int(header.length))
        let taken = try bytes.withUnsafeMutableBytes { try link.receive(into: $0) }
        return Array(bytes[..<taken])
    }

    private static func network(_ worldSize: Int = 2) -> (InMemoryNetwork, [InMemoryTransport]) {
        let network = InMemoryNetwork(worldSize: worldSize)
        return (network, (0..<worldSize).map { network.transport(for: $0) })
    }

    private static func expectLoss(_ peer: Rank, _ body: () throws -> Void) {
        let error = #expect(throws: CollectiveError.self) { try body() }
        #expect(error?.code == .peerLost)
        #expect(error?.peer == peer)
    }

    @Test(arguments: [(0, 1), (1, 0)])
    func dropBreaksBothEnds(_ from: Rank, _ to: Rank) throws {
        let (network, transports) = Self.network()
        let before = try connect(transports[0], transports[1])
        try Self.send([1], over: before.low)
        network.inject(.drop, from: from, to: to)
        // Links made afterwards fail in the same way.
        let after = try connect(transports[0], transports[1], LinkIdentifier(channel: 1))
        for ends in [before, after] {
            for link in [ends.low, ends.high] {
                Self.expectLoss(link.peer) { _ = try link.receiveHeader(readAhead: 0) }
                Self.expectLoss(link.peer) { try Self.send([1], over: link) }
                #expect(link.prepareToWait(for: .receiving) == nil)
            }
        }
    }

    @Test func dropLeavesOtherRanksAlone() throws {
        let (network, transports) = Self.network(3)
        network.inject(.drop, from: 0, to: 1)
        let other = try connect(transports[0], transports[2], ranks: (0, 2))
        try Self.send([5], over: other.low)
        #expect(try Self.receive(over: other.high) == [5])
    }

    @Test func stallAcceptsAndNeverDelivers() throws {
        let (network, transports) = Self.network()
        let ends = try connect(transports[0], transports[1])
        try Self.send([1, 2], over: ends.low)
        network.inject(.stall, from: 0, to: 1)
        try Self.send([3], over: ends.low)
        // What was under way arrives; what came later does not, and wakes nobody.
        #expect(try Self.receive(over: ends.high) == [1, 2])
        #expect(try Self.receive(over: ends.high) == nil)
        #expect(ends.high.prepareToWait(for: .receiving) != nil)
        // The other direction works.
        try Self.send([4], over: ends.high)
        #expect(try Self.receive(over: ends.low) == [4])
        // A link made afterwards stalls from its first byte.
        let later = try connect(transports[0], transports[1], LinkIdentifier(channel: 1))
        try Self.send([5], over: later.low)
        #expect(try Self.receive(over: later.high) == nil)
    }

    @Test func stalledLinkFillsUp() throws {
        let (network, transports) = Self.network()
        let ends = try connect(transports[0], transports[1])
        network.inject(.stall, from: 0, to: 1)
        ends.low.beginFrame(Self.header(1 << 30))
        let bytes = [UInt8](repeating: 0, count: network.capacity)
        #expect(try bytes.withUnsafeBytes { try ends.low.send($0) } == network.capacity - 64)
        #expect(try bytes.withUnsafeBytes { try ends.low.send($0) } == 0)
        #expect(ends.low.prepareToWait(for: .sending) != nil)
    }

    @Test func delayedBytesArriveLater() throws {
        let (network, transports) = Self.network()
        let ends = try connect(transports[0], transports[1])
        network.inject(.delay(.milliseconds(60)), from: 0, to: 1)
        let sent = Deadline.now
        try Self.send([7], over: ends.low)
        var received = try Self.receive(over: ends.high)
        // Bytes on their way need no event to arrive: whoever waits is told to try again.
        #expect(received != nil || ends.high.prepareToWait(for: .receiving) == nil)
        let limit = Deadline.after(.seconds(20))
        while received == nil, !limit.hasPassed { received = try Self.receive(over: ends.high) }
        #expect(received == [7])
        #expect(Deadline.now >= sent.advanced(by: .milliseconds(60)))
    }

    @Test func corruptFlipsOneBitOfThatByte() throws {
        let (network, transports) = Self.network()
        let ends = try connect(transports[0], transports[1])
        let payload = [UInt8](repeating: 0, count: 40)
        try Self.send(payload, over: ends.low)
        network.inject(.corrupt(byte: 64 + 17), from: 0, to: 1)
        try Self.send(payload, over: ends.low)
        try Self.send(payload, over: ends.low)
        #expect(try Self.receive(over: ends.high) == payload)
        let corrupt = try #require(try Self.receive(over: ends.high))
        #expect(corrupt.indices.filter { corrupt[$0] != 0 } == [17])
        #expect(corrupt[17].nonzeroBitCount == 1)
        #expect(try Self.receive(over: ends.high) == payload)
    }

    @Test func corruptHeaderIsNoticed() throws {
        for byte in 0..<FrameHeader.byteCount {
            let (network, transports) = Self.network()
            network.inject(.corrupt(byte: byte), from: 1, to: 0)
            let ends = try connect(transports[0], transports[1])
            try Self.send([1], over: ends.high)
            let error = #expect(throws: CollectiveError.self) { _ = try ends.low.receiveHeader(readAhead: 0) }
            #expect(error?.code == .protocolViolation)
            #expect(error?.peer == 1)
        }
    }

    @Test func linksAreMadeOnlyWhenAskedFor() throws {
        let (network, transports) = Self.network(4)
        #expect(network.linkCount == 0)
        _ = try connect(transports[0], transports[1])
        #expect(network.linkCount == 1)
        _ = try connect(transports[2], transports[3], ranks: (2, 3))
        #expect(network.linkCount == 2)
    }
}

@Suite struct VirtualClockTests {
    private static let cost = InMemoryNetwork.Cost(latency: .milliseconds(5), bandwidth: 1e6)

    private static func header(_ length: Int) -> FrameHeader {
        FrameHeader(
            kind: .data, communicator: 0, epoch: 0, sequence: 0,
            signature: OperationSignature(
                collective: .allReduce, dataType: .uint8, op: .sum, elementCount: length, root: nil,
                algorithm: AlgorithmCode(name: "ring")),
            length: UInt32(length))
    }

    private static func send(_ count: Int, over link: any Link) throws {
        link.beginFrame(header(count))
        let bytes = [UInt8](repeating: 1, count: count)
        #expect(try bytes.withUnsafeBytes { try link.send($0) } == count)
    }

    private static func receive(_ count: Int, over link: any Link) throws {
        var bytes = [UInt8](repeating: 0, count: count)
        #expect(try bytes.withUnsafeMutableBytes { try link.receive(into: $0) } == count)
    }

    /// A transfer costs the latency, and its bytes (the header's 64 too) over the bandwidth.
    @Test func aTransferCostsLatencyAndBandwidth() throws {
        let network = InMemoryNetwork(worldSize: 2, cost: Self.cost)
        let ends = try connect(network.transport(for: 0), network.transport(for: 1))
        try Self.send(936, over: ends.low)
        #expect(network.virtualTime(of: 0) == .zero)
        #expect(network.virtualTime(of: 1) == .zero)
        _ = try ends.high.receiveHeader(readAhead: 0)
        #expect(network.virtualTime(of: 1) == .microseconds(5064))
        try Self.receive(500, over: ends.high)
        #expect(network.virtualTime(of: 1) == .microseconds(5564))
        try Self.receive(436, over: ends.high)
        #expect(network.virtualTime(of: 1) == .microseconds(6000))
        // The answer leaves no earlier than that.
        try Self.send(1936, over: ends.high)
        _ = try ends.low.receiveHeader(readAhead: 2000)
        #expect(network.virtualTime(of: 0) == .microseconds(6000 + 5000 + 2000))
    }

    /// Transfers that follow each other share a link's bandwidth, and the latency is paid once.
    @Test func transfersQueueOnALink() throws {
        let network = InMemoryNetwork(worldSize: 2, cost: Self.cost)
        let ends = try connect(network.transport(for: 0), network.transport(for: 1))
        for _ in 0..<3 { try Self.send(936, over: ends.low) }
        for round in 1...3 {
            _ = try ends.high.receiveHeader(readAhead: 0)
            try Self.receive(936, over: ends.high)
            #expect(network.virtualTime(of: 1) == .microseconds(5000 + 1000 * Int64(round)))
        }
    }

    /// Whoever has received late cannot be taken back by what arrived early.
    @Test func timeNeverGoesBack() throws {
        let network = InMemoryNetwork(worldSize: 3, cost: Self.cost)
        let transports = (0..<3).map { network.transport(for: $0) }
        let first = try connect(transports[0], transports[2], ranks: (0, 2))
        let second = try connect(transports[1], transports[2], ranks: (1, 2))
        try Self.send(9936, over: first.low)
        try Self.send(936, over: second.low)
        _ = try first.high.receiveHeader(readAhead: 9936)
        #expect(network.virtualTime(of: 2) == .microseconds(15_000))
        _ = try second.high.receiveHeader(readAhead: 936)
        #expect(network.virtualTime(of: 2) == .microseconds(15_000))
    }

    @Test func costsNothingWithoutACost() throws {
        let network = InMemoryNetwork(worldSize: 2)
        let ends = try connect(network.transport(for: 0), network.transport(for: 1))
        try Self.send(1000, over: ends.low)
        _ = try ends.high.receiveHeader(readAhead: 1000)
        #expect(network.virtualTime(of: 1) == .zero)
    }
}
