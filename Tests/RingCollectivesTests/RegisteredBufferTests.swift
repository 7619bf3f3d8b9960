import RingCore
import RingPlan
import RingSystem
import RingTransport
import RingTransportRDMA
import RingTransportTesting
import Testing

@testable import RingCollectives

/// Collectives on registered buffers: right, and without copies where the transport allows it.
@Suite struct RegisteredBufferTests {
    private static var overRDMA: RankOptions {
        var options = RankOptions()
        options.wire = .rdma
        return options
    }

    /// Fills a buffer with a rank's contribution to a sum.
    private static func fill(_ buffer: RegisteredBuffer<Int32>, _ rank: Rank) {
        for index in buffer.indices {
            buffer.elements[index] = Int32(truncatingIfNeeded: index % 1009 * (rank + 1))
        }
    }

    /// Whether it holds the sum of all ranks' contributions.
    private static func isSum(_ elements: UnsafeMutableBufferPointer<Int32>, _ worldSize: Int) -> Bool {
        let factor = worldSize * (worldSize + 1) / 2
        for index in elements.indices
        where elements[index] != Int32(truncatingIfNeeded: index % 1009 * factor) {
            return false
        }
        return true
    }

    /// How many bytes a rank copies by its plan, since a result is elsewhere than it belongs.
    private static func plannedCopies(_ algorithm: String, _ rank: Rank, of worldSize: Int, count: Int) throws
        -> Int
    {
        let plan = try Planners.plan(
            PlanRequest(
                .allReduce, worldSize: worldSize, rank: rank, elementCount: count, isInPlace: true),
            algorithm: algorithm)
        return plan.steps.compactMap(\.copy).reduce(0) { $0 + $1.source.range.count * 4 }
    }

    static let algorithms = [
        "ring", "bidirectional-ring", "direct", "halving-doubling", "recursive-doubling", "binomial-tree",
        "double-binary-tree",
    ]

    /// Nothing is copied outside of the reductions, and a repeated call registers nothing.
    @Test(arguments: algorithms, 2...5) func allReduceCopiesNothing(algorithm: String, worldSize: Int)
        async throws
    {
        let group = try await RankGroup.connect(worldSize, Self.overRDMA)
        let outcomes = await group.run { communicator in
            let count = 100_003
            let buffer = try communicator.makeBuffer(of: Int32.self, count: count)
            var registrations: [Int] = []
            for _ in 0..<3 {
                Self.fill(buffer, communicator.rank)
                try communicator.run(.allReduce(buffer, .sum).using(Algorithm(name: algorithm)))
                guard Self.isSum(buffer.elements, worldSize) else {
                    throw Wrong(description: "a wrong sum by \(algorithm)")
                }
                // Those of links and scratch come with the first.
                try communicator.barrier()
                registrations.append(group.verbs[communicator.rank].count(.registerMemory))
            }
            #expect(registrations[1] == registrations[2])
            #expect(registrations[0] == registrations[1])
            // Recursive doubling alternates between two places, and may end in the wrong one.
            let planned = try Self.plannedCopies(algorithm, communicator.rank, of: worldSize, count: count)
            #expect(planned == 0 || algorithm == "recursive-doubling")
            #expect(communicator.copiedBytes == 3 * planned, "rank \(communicator.rank) by \(algorithm)")
        }
        await group.close()
        for outcome in outcomes { try outcome.get() }
        #expect(group.fabric.violations == [])
    }

    @Test(arguments: [0, 1, 1000, 4096, 4097, 65_536, 300_007]) func allReduceOfManySizes(count: Int)
        async throws
    {
        for wire in [RankOptions.Wire.rdma, .tcp] {
            var options = RankOptions()
            options.wire = wire
            let group = try await RankGroup.connect(3, options)
            let outcomes = await group.run { communicator in
                let buffer = try communicator.makeBuffer(of: Int32.self, count: count)
                let result = try communicator.makeBuffer(of: Int32.self, count: count)
                for algorithm in ["ring", "recursive-doubling"] {
                    Self.fill(buffer, communicator.rank)
                    try communicator.run(
                        .allReduce(from: buffer, into: result, .sum).using(Algorithm(name: algorithm)))
                    #expect(Self.isSum(result.elements, 3))
                    try communicator.run(.allReduce(buffer, .sum).using(Algorithm(name: algorithm)))
                    #expect(Self.isSum(buffer.elements, 3))
                }
            }
            await group.close()
            for outcome in outcomes { try outcome.get() }
            #expect(group.fabric.violations == [])
        }
    }

    /// Some ranks give registered memory and others do not, out of place and in place.
    @Test(arguments: [[0], [1], [0, 2], [1, 2]], algorithms)
    func ranksNeedNotAgree(registered: [Rank], algorithm: String) async throws {
        let group = try await RankGroup.connect(3, Self.overRDMA)
        let outcomes = await group.run { communicator in
            let buffer = try communicator.makeBuffer(of: Int32.self, count: 50_003)
            for _ in 0..<2 {
                Self.fill(buffer, communicator.rank)
                if registered.contains(communicator.rank) {
                    try communicator.run(.allReduce(buffer, .sum).using(Algorithm(name: algorithm)))
                    #expect(Self.isSum(buffer.elements, 3))
                } else {
                    var plain = Array(buffer)
                    try plain.withUnsafeMutableBufferPointer {
                        _ = try communicator.run(.allReduce($0, .sum).using(Algorithm(name: algorithm)))
                        #expect(Self.isSum($0, 3))
                    }
                }
            }
        }
        await group.close()
        for outcome in outcomes { try outcome.get() }
        #expect(group.fabric.violations == [])
    }

    /// The other collectives, and messages, with registered buffers on all ranks or on one.
    @Test(arguments: [true, false]) func otherCollectives(everywhere: Bool) async throws {
        let group = try await RankGroup.connect(4, Self.overRDMA)
        let outcomes = await group.run { communicator in
            let (rank, count) = (communicator.rank, 80_000)
            func place(
                _ count: Int
            ) throws -> (UnsafeMutableBufferPointer<Int32>, RegisteredBuffer<Int32>?) {
                if everywhere || rank == 1 {
                    let buffer = try communicator.makeBuffer(of: Int32.self, count: count)
                    return (buffer.elements, buffer)
                }
                let plain = UnsafeMutableBufferPointer<Int32>.allocate(capacity: count)
                plain.initialize(repeating: 0)
                return (plain, nil)
            }
            let (whole, wholeBuffer) = try place(4 * count)
            let (share, shareBuffer) = try place(count)
            let (other, otherBuffer) = try place(4 * count)
            defer {
                if otherBuffer == nil { other.deallocate() }
                if wholeBuffer == nil { whole.deallocate() }
                if shareBuffer == nil { share.deallocate() }
            }
            for index in share.indices { share[index] = Int32(rank * 1_000_000 + index) }
            try communicator.run(.allGather(from: UnsafeBufferPointer(share), into: whole))
            #expect((0..<4).allSatisfy { whole[$0 * count + 17] == Int32($0 * 1_000_000 + 17) })
            try communicator.run(.allToAll(whole))
            #expect((0..<4).allSatisfy { whole[$0 * count + 5] == Int32(rank * 1_000_000 + 5) })
            if rank == 2 { for index in whole.indices { whole[index] = Int32(index) } }
            try communicator.run(.broadcast(whole, root: 2))
            #expect(whole.enumerated().allSatisfy { $0.element == Int32($0.offset) })
            try communicator.run(.reduceScatter(from: UnsafeBufferPointer(whole), into: share, .sum))
            #expect(share.enumerated().allSatisfy { $0.element == Int32(4 * (rank * count + $0.offset)) })
            try communicator.run(.scatter(whole, root: 0))
            try communicator.run(.reduce(whole, .max, root: 3))
            try communicator.run(.gather(from: UnsafeBufferPointer(share), into: whole, root: 1))
            if rank == 1 { #expect(whole[3 * count + 9] == Int32(4 * (3 * count + 9))) }
            // Around the ring, more than a link holds.
            try communicator.run(group: [
                .send(UnsafeBufferPointer(whole), to: (rank + 1) % 4),
                .receive(into: share, from: (rank + 2) % 4, tag: 9),
                .send(UnsafeBufferPointer(rebasing: whole[..<count]), to: (rank + 2) % 4, tag: 9),
                .receive(into: other, from: (rank + 3) % 4),
            ])
            withExtendedLifetime(otherBuffer) {}
            withExtendedLifetime((wholeBuffer, shareBuffer)) {}
        }
        await group.close()
        for outcome in outcomes { try outcome.get() }
        #expect(group.fabric.violations == [])
    }

    /// The buffer outlives its communicator, and the memory goes with the last reference.
    @Test func buffersOutliveTheirCommunicator() async throws {
        var group: RankGroup? = try await RankGroup.connect(2, Self.overRDMA)
        let fabric = group!.fabric
        var buffers: [RegisteredBuffer<Float>]? = try await group!.run { communicator in
            let buffer = try communicator.makeBuffer(of: Float.self, count: 100_000)
            buffer[3] = 7
            try communicator.start(.allReduce(buffer, .sum)).wait()
            return buffer
        }.map { try $0.get() }
        await group!.close()
        group = nil
        #expect(buffers!.allSatisfy { $0[3] == 14 && $0.count == 100_000 })
        #expect(fabric.liveObjects()["memory regions", default: 0] >= 2)
        buffers = nil
        let deadline = Deadline.after(.seconds(60))
        while fabric.liveObjects()["memory regions"] != nil, !deadline.hasPassed {
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(fabric.liveObjects()["memory regions"] == nil)
        #expect(fabric.violations == [])
    }

    /// A started operation keeps its buffer.
    @Test func operationsKeepTheirBuffers() async throws {
        let group = try await RankGroup.connect(2, Self.overRDMA)
        group.fabric.hold(.read)
        let outcomes = await group.run { communicator in
            let work = try communicator.start(
                .broadcast(try communicator.makeBuffer(of: Float.self, count: 100_000), root: 0))
            return work
        }
        let works = try outcomes.map { try $0.get() }
        let deadline = Deadline.after(.seconds(60))
        while group.fabric.heldCount == 0, !deadline.hasPassed {
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(works.allSatisfy { !$0.isFinished })
        group.fabric.letGo()
        _ = await group.run { try works[$0.rank].wait() }
        await group.close()
        #expect(group.fabric.violations == [])
    }

    /// An operation that is given up while bytes are fetched, on either side: when it has returned no device uses the
    /// memory, so the buffers may go.
    @Test func givingUpReleasesTheMemory() async throws {
        let group = try await RankGroup.connect(2, Self.overRDMA)
        for outcome in await group.run({ try $0.barrier() }) { try outcome.get() }
        group.fabric.hold(.read)
        let outcomes = await group.run { communicator in
            let buffer = try communicator.makeBuffer(of: Float.self, count: 100_000)
            for index in buffer.indices { buffer[index] = Float(communicator.rank) }
            do {
                try communicator.run(.broadcast(buffer, root: 0).within(.seconds(2)))
                throw Wrong(description: "a broadcast ended that could not")
            } catch let error as CollectiveError {
                // Nothing has been fetched.
                #expect(buffer.allSatisfy { $0 == Float(communicator.rank) })
                #expect(error.code == .timedOut || error.code == .peerLost, "\(error)")
            }
        }
        for outcome in outcomes { try outcome.get() }
        group.fabric.letGo()
        await group.close()
        #expect(group.fabric.violations == [])
    }

    /// A rank that lacks memory to receive what another offers is named to all, with what it needs.
    @Test func whoeverCannotReceiveIsNamed() async throws {
        let group = try await RankGroup.connect(2, Self.overRDMA)
        let outcomes = await group.run { communicator in
            let count = 100_000
            let buffer = try communicator.makeBuffer(of: Int32.self, count: count)
            // So that the links are there.
            try communicator.broadcast(buffer, root: 0)
            guard communicator.rank == 1 else { return try communicator.broadcast(buffer, root: 0) }
            group.verbs[1].fail(.registerMemory, with: 12)
            var plain = [Int32](repeating: 0, count: count)
            try plain.withUnsafeMutableBufferPointer { try communicator.broadcast($0, root: 0) }
        }
        await group.close()
        for outcome in outcomes {
            let error = try #require(outcome.collectiveError, "\(outcome)")
            #expect(error.code == .system && error.peer == 1, "\(error)")
            #expect(error.message.hasPrefix("rank 1 cannot "), "\(error)")
            #expect(error.message.contains("they are needed to receive from rank 0"), "\(error)")
        }
    }

    @Test func impossibleBuffersAreRefused() async throws {
        let group = try await RankGroup.connect(2, Self.overRDMA)
        let outcomes = await group.run { communicator in
            for count in [-1, Int.max] {
                let error = #expect(throws: CollectiveError.self) {
                    _ = try communicator.makeBuffer(of: Float.self, count: count)
                }
                #expect(error?.code == .invalidArgument)
            }
            group.verbs[communicator.rank].fail(.registerMemory, with: 12)
            let error = #expect(throws: CollectiveError.self) {
                _ = try communicator.makeBuffer(of: Float.self, count: 1000)
            }
            #expect(error?.code == .system)
            #expect(error?.message.contains("4096 bytes") == true)
        }
        await group.close()
        for outcome in outcomes { try outcome.get() }
    }
}
