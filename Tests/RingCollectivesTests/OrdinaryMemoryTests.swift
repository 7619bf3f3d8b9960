import RingCore
import RingSystem
import RingTestSupport
import RingTransportRDMA
import RingTransportTesting
import Testing

@testable import RingCollectives

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Collectives over RDMA on ordinary memory that is large enough to be registered for them, and kept so.
@Suite struct OrdinaryMemoryTests {
    private static let count = 300_007

    private static func options(cachedBytes: Int? = nil) -> RankOptions {
        var options = RankOptions()
        options.wire = .rdma
        if let cachedBytes { options.cachedBytes = cachedBytes }
        return options
    }

    /// Connects ranks over devices in memory, runs a closure on a thread each, and sees that nothing is left over.
    private static func withRanks(
        _ worldSize: Int, _ options: RankOptions = options(),
        _ body: @escaping @Sendable (Communicator, SoftwareVerbs) throws -> Void
    ) async throws {
        var group: RankGroup? = try await RankGroup.connect(worldSize, options)
        let (fabric, verbs) = (group!.fabric, group!.verbs)
        let outcomes = await group!.run { try body($0, verbs[$0.rank]) }
        await group!.close()
        group = nil
        for outcome in outcomes { try outcome.get() }
        let deadline = Deadline.after(.seconds(60))
        while !fabric.liveObjects().isEmpty, !deadline.hasPassed {
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(fabric.liveObjects() == [:])
        #expect(fabric.violations == [])
    }

    /// All-reduces a rank's contribution to a sum, and throws if the sum is wrong.
    private static func sum(
        _ elements: UnsafeMutableBufferPointer<Int32>, on communicator: Communicator, round: Int,
        by algorithm: String = "ring"
    ) throws {
        fill(elements, communicator.rank, round)
        try communicator.run(.allReduce(elements, .sum).using(Algorithm(name: algorithm)))
        try check(elements, communicator.worldSize, round)
    }

    private static func fill(_ elements: UnsafeMutableBufferPointer<Int32>, _ rank: Int, _ round: Int) {
        for index in elements.indices { elements[index] = Int32((index % 1009 + round) * (rank + 1)) }
    }

    private static func check(
        _ elements: UnsafeMutableBufferPointer<Int32>, _ worldSize: Int, _ round: Int
    ) throws {
        let factor = worldSize * (worldSize + 1) / 2
        for index in elements.indices where elements[index] != Int32((index % 1009 + round) * factor) {
            throw Wrong(description: "element \(index) is wrong in round \(round)")
        }
    }

    /// The first call registers the memory; the others register nothing, and nothing is copied.
    @Test(arguments: ["ring", "direct", "double-binary-tree", "halving-doubling"], [2, 3])
    func aRepeatedCallRegistersNothing(algorithm: String, worldSize: Int) async throws {
        try await Self.withRanks(worldSize) { communicator, verbs in
            let memory = MappedMemory(byteCount: Self.count * 4)
            var registrations: [Int] = []
            for round in 0..<3 {
                try Self.sum(
                    memory.elements(Self.count, of: Int32.self), on: communicator, round: round,
                    by: algorithm)
                try communicator.barrier()
                registrations.append(verbs.count(.registerMemory))
            }
            #expect(Set(registrations).count == 1)
            #expect(communicator.copiedBytes == 0)
        }
    }

    /// Memory that goes is not known any more: not what comes in its place, nor what comes elsewhere.
    @Test func memoryThatComesInItsPlace() async throws {
        try await Self.withRanks(2) { communicator, verbs in
            let memory = MappedMemory(byteCount: Self.count * 4)
            let elements = memory.elements(Self.count, of: Int32.self)
            try Self.sum(elements, on: communicator, round: 0)
            try communicator.barrier()
            var registrations = verbs.count(.registerMemory)
            for round in 1..<4 {
                memory.replace()
                try Self.sum(elements, on: communicator, round: round)
                try Self.sum(elements, on: communicator, round: round)
                registrations += 1
                #expect(verbs.count(.registerMemory) == registrations)
            }
            #expect(communicator.copiedBytes == 0)
        }
    }

    /// Arrays that come and go, in the same places or in others.
    @Test func memoryThatIsFreed() async throws {
        try await Self.withRanks(3) { communicator, _ in
            for round in 0..<10 {
                var array = [Int32](repeating: 0, count: Self.count + round % 3 * 100_000)
                try array.withUnsafeMutableBufferPointer {
                    try Self.sum($0, on: communicator, round: round)
                }
            }
        }
    }

    /// Parts of one block, neighbours with a page in common, under way at the same time.
    @Test func partsOfABlock() async throws {
        try await Self.withRanks(2) { communicator, verbs in
            let memory = MappedMemory(byteCount: 4 * Self.count * 4)
            let parts = (0..<4).map {
                UnsafeMutableBufferPointer(
                    rebasing: memory.elements(4 * Self.count, of: Int32.self)[($0 * Self.count)...]
                        .prefix(Self.count))
            }
            var registrations: [Int] = []
            for round in 0..<3 {
                for part in parts { Self.fill(part, communicator.rank, round) }
                let works = try parts.map {
                    try communicator.start(.allReduce($0, .sum).using(Algorithm(name: "ring")))
                }
                for work in works { try work.wait() }
                for part in parts { try Self.check(part, communicator.worldSize, round) }
                try communicator.barrier()
                registrations.append(verbs.count(.registerMemory))
            }
            #expect(Set(registrations).count == 1)
            #expect(communicator.copiedBytes == 0)
        }
    }

    /// All collectives, in place and out of place, with arrays of the test's own that come and go.
    @Test(arguments: Collective.allCases.filter { $0 != .sendReceive && $0 != .barrier })
    func everyCollective(_ collective: Collective) async throws {
        try await Self.withRanks(3) { communicator, _ in
            for _ in 0..<2 {
                try Exercise(collective: collective, count: 600_000, root: 2).run(on: communicator)
            }
        }
    }

    /// Messages around the ring, and a group of several.
    @Test func messages() async throws {
        try await Self.withRanks(3) { communicator, verbs in
            let rank = communicator.rank
            let (sent, received) = (
                MappedMemory(byteCount: Self.count * 4), MappedMemory(byteCount: Self.count * 4)
            )
            let input = sent.elements(Self.count, of: Int32.self)
            let output = received.elements(Self.count, of: Int32.self)
            var registrations: [Int] = []
            for round in 0..<3 {
                Self.fill(input, rank, round)
                try communicator.run(group: [
                    .send(UnsafeBufferPointer(input), to: (rank + 1) % 3),
                    .receive(into: output, from: (rank + 2) % 3),
                ])
                for index in output.indices
                where output[index] != Int32((index % 1009 + round) * ((rank + 2) % 3 + 1)) {
                    throw Wrong(description: "element \(index) is wrong in round \(round)")
                }
                try communicator.barrier()
                registrations.append(verbs.count(.registerMemory))
            }
            #expect(Set(registrations).count == 1)
        }
    }

    /// Where memory cannot be registered it is copied: on one rank, and whichever call of the devices fails.
    @Test(arguments: [ENOMEM, EFAULT]) func whatCannotBeRegisteredIsCopied(number: Int32) async throws {
        try await Self.withRanks(2) { communicator, verbs in
            let memory = MappedMemory(byteCount: Self.count * 4)
            let small = memory.elements(Self.count / 4, of: Int32.self)
            let elements = memory.elements(Self.count, of: Int32.self)
            // The links come first.
            try Self.sum(small, on: communicator, round: 0)
            try communicator.barrier()
            let copied = communicator.copiedBytes
            if communicator.rank == 0 { verbs.fail(.registerMemory, with: number) }
            try Self.sum(elements, on: communicator, round: 1)
            #expect(communicator.copiedBytes > copied || communicator.rank == 1)
            let other = MappedMemory(byteCount: Self.count * 4)
            try Self.sum(other.elements(Self.count, of: Int32.self), on: communicator, round: 2)
        }
    }

    @Test func withoutACache() async throws {
        try await Self.withRanks(2, Self.options(cachedBytes: 0)) { communicator, verbs in
            let memory = MappedMemory(byteCount: Self.count * 4)
            let elements = memory.elements(Self.count, of: Int32.self)
            try communicator.barrier()
            for round in 0..<2 { try Self.sum(elements, on: communicator, round: round) }
            #expect(communicator.copiedBytes > 0)
            // Those of links: of control, and of data.
            #expect(verbs.count(.registerMemory) == 4)
        }
    }

    /// An operation that is given up while its memory is read, or written: afterwards the memory may go.
    @Test func givingUp() async throws {
        let group = try await RankGroup.connect(2, Self.options())
        for outcome in await group.run({ try $0.barrier() }) { try outcome.get() }
        group.fabric.hold(.read)
        let outcomes = await group.run { communicator in
            let memory = MappedMemory(byteCount: Self.count * 4)
            let elements = memory.elements(Self.count, of: Int32.self)
            Self.fill(elements, communicator.rank, 0)
            let error = #expect(throws: CollectiveError.self) {
                try communicator.run(.broadcast(elements, root: 0).within(.seconds(2)))
            }
            #expect(error?.code == .timedOut || error?.code == .peerLost)
            memory.replace()
            #expect(memory.all.allSatisfy { $0 == 2 })
        }
        for outcome in outcomes { try outcome.get() }
        group.fabric.letGo()
        await group.close()
        #expect(group.fabric.violations == [])
    }
}
