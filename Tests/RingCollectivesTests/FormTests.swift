import RingCollectives
import RingCore
import Testing

/// Every form of every collective: arrays from tasks, spans and pointers from threads, for one rank and several.
@Suite struct FormTests {
    static func expect<Value: Equatable>(_ value: Value, _ expected: Value, _ name: String, _ rank: Rank)
        throws
    {
        guard value == expected else {
            throw Wrong(description: "rank \(rank): \(name) is \(value), not \(expected)")
        }
    }

    /// The elements that a rank contributes: 10 times its number, and counting.
    static func own(_ rank: Rank, _ count: Int) -> [Int32] { (0..<count).map { Int32(10 * rank + $0) } }

    static func sum(_ worldSize: Int, _ count: Int) -> [Int32] {
        (0..<count).map { index in (0..<worldSize).reduce(0) { $0 + own($1, count)[index] } }
    }

    @Test(arguments: [1, 2, 3]) func arrays(worldSize: Int) async throws {
        let group = try await RankGroup.connect(worldSize)
        let outcomes = await group.runTasks { communicator in
            let (rank, last) = (communicator.rank, worldSize - 1)
            let input = Self.own(rank, 7)
            let sum = Self.sum(worldSize, 7)
            let share = Partition(count: 7, parts: worldSize)[rank]

            var elements = input
            try await communicator.allReduce(&elements, .sum)
            try Self.expect(elements, sum, "the sum in place", rank)
            try Self.expect(input, Self.own(rank, 7), "the array that was a copy", rank)

            let output = try await communicator.allReduce(input, .sum)
            try Self.expect(output, sum, "the sum", rank)
            try Self.expect(input, Self.own(rank, 7), "the input", rank)

            let scattered = try await communicator.reduceScatter(input, .sum)
            try Self.expect(scattered, Array(sum[share]), "the share", rank)

            let gathered = try await communicator.allGather(input)
            try Self.expect(gathered, (0..<worldSize).flatMap { Self.own($0, 7) }, "the gathering", rank)

            elements = input
            try await communicator.broadcast(&elements, root: last)
            try Self.expect(elements, Self.own(last, 7), "the root's array", rank)
            try Self.expect(input, Self.own(rank, 7), "the array that was a copy", rank)

            try await communicator.barrier()

            var empty: [Float] = []
            try await communicator.allReduce(&empty, .sum)
            try await communicator.broadcast(&empty, root: 0)
            let nothing = try await communicator.allGather(empty)
            try Self.expect(nothing, [], "nothing", rank)
        }
        for outcome in outcomes { try outcome.get() }
        await group.close()
    }

    /// An array that nobody else has is neither copied nor moved.
    @Test(arguments: [1, 2]) func arrayKeepsItsStorage(worldSize: Int) async throws {
        let group = try await RankGroup.connect(worldSize)
        let outcomes = await group.runTasks { communicator in
            var elements = [Float](repeating: 1, count: 5_000)
            let address = elements.withUnsafeBufferPointer { UInt(bitPattern: $0.baseAddress) }
            try await communicator.allReduce(&elements, .sum)
            try await communicator.broadcast(&elements, root: 0)
            let after = elements.withUnsafeBufferPointer { UInt(bitPattern: $0.baseAddress) }
            try Self.expect(after, address, "the storage", communicator.rank)
        }
        for outcome in outcomes { try outcome.get() }
        await group.close()
    }

    /// The array comes back also when the call fails.
    @Test func arrayComesBack() async throws {
        let group = try await RankGroup.connect(2)
        var elements = Self.own(0, 9)
        await #expect(throws: CollectiveError.self) {
            try await group.communicators[0].broadcast(&elements, root: 5)
        }
        #expect(elements == Self.own(0, 9))
        await #expect(throws: CollectiveError.self) {
            try await group.communicators[0].allReduce(&elements, .sum, timeout: .milliseconds(500))
        }
        #expect(elements.count == 9)
        await group.close()
    }

    @Test(arguments: [1, 2, 3]) func spans(worldSize: Int) async throws {
        try await withRanks(worldSize) { communicator in
            let (rank, last) = (communicator.rank, worldSize - 1)
            let input = Self.own(rank, 7)
            let sum = Self.sum(worldSize, 7)
            let shares = Partition(count: 7, parts: worldSize)

            var elements = input
            do {
                var span = elements.mutableSpan
                try communicator.allReduce(&span, .sum)
            }
            try Self.expect(elements, sum, "the sum in place", rank)

            elements = input
            do {
                var span = elements.mutableSpan
                try communicator.reduceScatter(&span, .sum)
            }
            try Self.expect(Array(elements[shares[rank]]), Array(sum[shares[rank]]), "the share", rank)

            elements = input
            do {
                var span = elements.mutableSpan
                try communicator.allGather(&span)
            }
            let gathering = (0..<worldSize).flatMap { Self.own($0, 7)[shares[$0]] }
            try Self.expect(elements, gathering, "the gathering", rank)

            elements = input
            do {
                var span = elements.mutableSpan
                try communicator.broadcast(&span, root: last)
            }
            try Self.expect(elements, Self.own(last, 7), "the root's elements", rank)

            var output = [Int32](repeating: -1, count: 7)
            do {
                var span = output.mutableSpan
                try communicator.allReduce(from: input.span, into: &span, .sum)
            }
            try Self.expect(output, sum, "the sum", rank)
            try Self.expect(input, Self.own(rank, 7), "the input", rank)
        }
    }

    @Test(arguments: [1, 2, 3]) func pointers(worldSize: Int) async throws {
        try await withRanks(worldSize) { communicator in
            let (rank, last) = (communicator.rank, worldSize - 1)
            let sum = Self.sum(worldSize, 7)
            let shares = Partition(count: 7, parts: worldSize)
            let gathering = (0..<worldSize).flatMap { Self.own($0, 7)[shares[$0]] }

            /// Runs a form in place.
            func inPlace(_ body: (UnsafeMutableBufferPointer<Int32>) throws -> Void) throws -> [Int32] {
                var elements = Self.own(rank, 7)
                try elements.withUnsafeMutableBufferPointer { try body($0) }
                return elements
            }
            /// Runs a form from one buffer to another.
            func outOfPlace(
                _ input: [Int32], _ count: Int,
                _ body: (UnsafeBufferPointer<Int32>, UnsafeMutableBufferPointer<Int32>) throws -> Void
            ) throws -> [Int32] {
                var output = [Int32](repeating: -1, count: count)
                try input.withUnsafeBufferPointer { input in
                    try output.withUnsafeMutableBufferPointer { try body(input, $0) }
                }
                return output
            }
            let own = Self.own(rank, 7)
            let share = Array(own[shares[rank]])
            try Self.expect(try inPlace { try communicator.allReduce($0, .sum) }, sum, "all-reduce", rank)
            try Self.expect(
                try outOfPlace(own, 7) { try communicator.allReduce(from: $0, into: $1, .sum) }, sum,
                "all-reduce to another buffer", rank)
            let scattered = try inPlace { try communicator.reduceScatter($0, .sum) }
            try Self.expect(
                Array(scattered[shares[rank]]), Array(sum[shares[rank]]), "reduce-scatter", rank)
            try Self.expect(
                try outOfPlace(own, share.count) { try communicator.reduceScatter(from: $0, into: $1, .sum) },
                Array(sum[shares[rank]]), "reduce-scatter to another buffer", rank)
            try Self.expect(try inPlace { try communicator.allGather($0) }, gathering, "all-gather", rank)
            try Self.expect(
                try outOfPlace(share, 7) { try communicator.allGather(from: $0, into: $1) }, gathering,
                "all-gather to another buffer", rank)
            try Self.expect(
                try inPlace { try communicator.broadcast($0, root: last) }, Self.own(last, 7), "broadcast",
                rank)
            try Self.expect(
                try outOfPlace(own, 7) { try communicator.broadcast(from: $0, into: $1, root: last) },
                Self.own(last, 7), "broadcast to another buffer", rank)
            try communicator.barrier()
        }
    }

    /// A world of one needs no store, no transport and no peers.
    @Test func single() async throws {
        let communicator = try await Communicator.connect(.single())
        #expect(communicator.rank == 0)
        #expect(communicator.worldSize == 1)
        #expect(communicator.transportName == "none")
        var elements: [Float] = [1, 2, 3]
        try await communicator.allReduce(&elements, .average)
        #expect(elements == [1, 2, 3])
        #expect(try await communicator.reduceScatter(elements, .product) == [1, 2, 3])
        #expect(try await communicator.allGather(elements) == [1, 2, 3])
        try await communicator.broadcast(&elements, root: 0)
        #expect(elements == [1, 2, 3])
        try await communicator.barrier()
        let error = await #expect(throws: CollectiveError.self) {
            try await communicator.broadcast(&elements, root: 1)
        }
        #expect(error?.code == .invalidArgument)
        communicator.close()
    }
}
