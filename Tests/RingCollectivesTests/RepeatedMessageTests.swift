import Foundation
import RingCollectives
import RingCore
import Testing

/// Messages that are sent again and again take a shorter way, which must show in nothing but its speed.
@Suite(.serialized) struct RepeatedMessageTests {
    static let wires: [RankOptions.Wire] = [.memory(capacity: 64 << 10), .memory(capacity: 100), .tcp, .rdma]

    private static func options(_ wire: RankOptions.Wire) -> RankOptions {
        var options = RankOptions()
        options.wire = wire
        return options
    }

    /// One group: each message has a peer, a tag and a count; sends and receives in the order given.
    static func exchange(
        _ communicator: Communicator, round: Int,
        _ parts: [(isSend: Bool, peer: Rank, tag: UInt32, count: Int)]
    ) throws {
        let number = { (tag: UInt32) in round * 8 + Int(tag) }
        var received: [(part: Int, elements: UnsafeMutableBufferPointer<Int64>)] = []
        var operations: [CollectiveOperation] = []
        var buffers: [UnsafeMutableBufferPointer<Int64>] = []
        defer { for buffer in buffers { buffer.deallocate() } }
        for (index, part) in parts.enumerated() {
            let buffer = UnsafeMutableBufferPointer<Int64>.allocate(capacity: part.count)
            buffers.append(buffer)
            if part.isSend {
                _ = buffer.initialize(
                    from: GroupTests.elements(
                        communicator.rank, part.peer, number(part.tag), count: part.count))
                operations.append(.send(UnsafeBufferPointer(buffer), to: part.peer, tag: part.tag))
            } else {
                buffer.initialize(repeating: -1)
                received.append((index, buffer))
                operations.append(.receive(into: buffer, from: part.peer, tag: part.tag))
            }
        }
        let statistics = try communicator.run(group: operations)
        for (index, part) in parts.enumerated() {
            let sent = part.isSend ? part.count * 8 : 0
            guard statistics[index].wireBytes == sent, statistics[index].elementBytes == sent,
                statistics[index].algorithm == "direct"
            else { throw Wrong(description: "operation \(index): \(statistics[index])") }
        }
        for (index, elements) in received {
            let part = parts[index]
            let expected = GroupTests.elements(
                part.peer, communicator.rank, number(part.tag), count: part.count)
            guard Array(elements) == expected else {
                throw Wrong(
                    description: "\(communicator), round \(round): from \(part.peer) \(Array(elements))")
            }
        }
    }

    @Test(arguments: wires, [0, 1, 12, 500]) func inTurns(wire: RankOptions.Wire, count: Int) async throws {
        try await withRanks(2, Self.options(wire)) { communicator in
            for round in 0..<40 {
                if communicator.rank == 0 {
                    try GroupTests.send(communicator, to: 1, round, count: count)
                    try GroupTests.receive(communicator, from: 1, round, count: count)
                } else {
                    try GroupTests.receive(communicator, from: 0, round, count: count)
                    try GroupTests.send(communicator, to: 0, round, count: count)
                }
            }
        }
    }

    /// All send and receive at once, whichever they say first.
    @Test(arguments: wires, [true, false]) func atOnce(wire: RankOptions.Wire, sendFirst: Bool) async throws {
        try await withRanks(3, Self.options(wire)) { communicator in
            let (next, previous) = ((communicator.rank + 1) % 3, (communicator.rank + 2) % 3)
            let send = (isSend: true, peer: next, tag: UInt32(1), count: 30)
            let receive = (isSend: false, peer: previous, tag: UInt32(1), count: 30)
            for round in 0..<30 {
                try Self.exchange(communicator, round: round, sendFirst ? [send, receive] : [receive, send])
            }
        }
    }

    /// Several messages each way, which are received in another order than they are sent in.
    @Test(arguments: wires) func tagsOutOfOrder(wire: RankOptions.Wire) async throws {
        try await withRanks(2, Self.options(wire)) { communicator in
            let peer = 1 - communicator.rank
            let parts =
                [1, 2, 3].map { (isSend: true, peer: peer, tag: UInt32($0), count: 4 * $0) }
                + [3, 1, 2].map { (isSend: false, peer: peer, tag: UInt32($0), count: 4 * $0) }
            for round in 0..<30 { try Self.exchange(communicator, round: round, parts) }
            // One by one, what is not wanted yet is kept.
            for round in 0..<30 {
                if communicator.rank == 0 {
                    for tag in [1, 2, 3] as [UInt32] {
                        try GroupTests.send(communicator, to: 1, round, tag: tag)
                    }
                    try GroupTests.receive(communicator, from: 1, round)
                } else {
                    for tag in [3, 1, 2] as [UInt32] {
                        try GroupTests.receive(communicator, from: 0, round, tag: tag)
                    }
                    try GroupTests.send(communicator, to: 0, round)
                }
            }
        }
    }

    /// One comes so late that the other sleeps, or finds the message there.
    @Test(arguments: wires, [0, 1]) func late(wire: RankOptions.Wire, late: Rank) async throws {
        try await withRanks(2, Self.options(wire)) { communicator in
            for round in 0..<12 {
                if communicator.rank == late, round % 3 == 2 { usleep(20_000) }
                try Self.exchange(
                    communicator, round: round,
                    [
                        (isSend: communicator.rank == 0, peer: 1 - communicator.rank, tag: 4, count: 9)
                    ])
                if communicator.rank == 1 - late, round % 3 == 1 { usleep(5_000) }
            }
        }
    }

    /// More different calls than are remembered, collectives among them, started ones too.
    @Test(arguments: wires) func amongManyOthers(wire: RankOptions.Wire) async throws {
        try await withRanks(2, Self.options(wire)) { communicator in
            let peer = 1 - communicator.rank
            for round in 0..<60 {
                let count = 1 + round % 20
                try Self.exchange(
                    communicator, round: round,
                    [
                        (isSend: true, peer: peer, tag: 0, count: count),
                        (isSend: false, peer: peer, tag: 0, count: count),
                    ])
                if round % 3 == 0 { try FailureTests.sum(communicator, count: count) }
                if round % 4 == 0 { try FailureTests.sum(communicator, count: 7) }
                if round % 5 == 0 { try communicator.start(.barrier()).wait() }
                if round % 7 == 0 {
                    var elements = [Float](repeating: 1, count: 7)
                    try elements.withUnsafeMutableBufferPointer {
                        try communicator.start(.allReduce($0, .sum)).wait()
                    }
                    guard elements.allSatisfy({ $0 == 2 }) else { throw Wrong(description: "\(elements)") }
                }
            }
        }
    }

    /// A group in which one operation uses what another writes is refused, also when it was fine before.
    @Test func overlapsAreRefused() async throws {
        try await withRanks(2) { communicator in
            var memory = [Int64](repeating: 1, count: 20)
            try memory.withUnsafeMutableBufferPointer { memory in
                let peer = 1 - communicator.rank
                let source = UnsafeBufferPointer(rebasing: memory[..<5])
                func run(_ places: Range<Int>) throws {
                    let target = UnsafeMutableBufferPointer(rebasing: memory[places])
                    _ = try communicator.run(
                        group: [.send(source, to: peer), .receive(into: target, from: peer)])
                }
                for _ in 0..<3 { try run(10..<15) }
                let error = #expect(throws: CollectiveError.self) { try run(3..<8) }
                #expect(error?.code == .invalidArgument)
                #expect(error?.message.contains("operations 0 and 1 of a group of 2") == true)
                try run(6..<11)
            }
        }
    }

    /// What goes wrong is found and told as it is with the first message.
    @Test(arguments: wires, [true, false])
    func mismatch(wire: RankOptions.Wire, isLonger: Bool) async throws {
        let group = try await RankGroup.connect(2, Self.options(wire))
        let outcomes = await group.run { communicator in
            for round in 0..<10 {
                let count = communicator.rank == 0 && round == 9 ? (isLonger ? 11 : 9) : 10
                if communicator.rank == 0 {
                    try GroupTests.send(communicator, to: 1, round, count: count)
                } else {
                    try GroupTests.receive(communicator, from: 0, round, count: count)
                }
            }
            try communicator.barrier()
        }
        let error = try FailureTests.commonError(outcomes)
        #expect(error.code == .mismatch)
        #expect(error.message.contains("rank 0 sent") && error.message.contains("rank 1 receives"))
        await group.close()
    }

    @Test(arguments: wires) func lostPeer(wire: RankOptions.Wire) async throws {
        let group = try await RankGroup.connect(2, Self.options(wire))
        let outcomes = await group.run { communicator in
            for round in 0..<10 {
                if communicator.rank == 0 {
                    try GroupTests.send(communicator, to: 1, round)
                } else {
                    try GroupTests.receive(communicator, from: 0, round)
                }
            }
            if communicator.rank == 0 { return communicator.close() }
            try GroupTests.receive(communicator, from: 0, 10)
        }
        let error = try FailureTests.commonError(outcomes, of: [1])
        #expect(error.code == .peerLost)
        #expect(error.message.contains("rank 0"))
        await group.close()
    }

    /// A message that never comes ends by its deadline.
    @Test(arguments: wires) func deadline(wire: RankOptions.Wire) async throws {
        var options = Self.options(wire)
        options.timeout = .seconds(2)
        let group = try await RankGroup.connect(2, options)
        let watch = Stopwatch()
        let outcomes = await group.run(timing: watch) { communicator in
            for round in 0..<10 {
                if communicator.rank == 1 { try GroupTests.receive(communicator, from: 0, round) }
                if communicator.rank == 0, round < 9 { try GroupTests.send(communicator, to: 1, round) }
            }
        }
        let error = try FailureTests.commonError(outcomes, of: [1])
        #expect(error.code == .timedOut)
        #expect(watch.elapsed < FailureTests.slack)
        await group.close()
    }
}
