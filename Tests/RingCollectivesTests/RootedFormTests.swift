import RingCollectives
import RingCore
import Testing

/// Every form of the collectives with a root, of the all-to-all, and of those with counts: arrays, spans and pointers.
@Suite struct RootedFormTests {
    private static func own(_ rank: Rank, _ count: Int) -> [Int32] { FormTests.own(rank, count) }

    /// As many elements for each rank as its number, and one more.
    private static func counts(_ worldSize: Int) -> [Int] { (0..<worldSize).map { $0 + 1 } }

    @Test(arguments: [1, 2, 3]) func arrays(worldSize: Int) async throws {
        let group = try await RankGroup.connect(worldSize)
        let outcomes = await group.runTasks { communicator in
            let (rank, root) = (communicator.rank, worldSize - 1)
            let isRoot = rank == root
            let input = Self.own(rank, 7)
            let sum = FormTests.sum(worldSize, 7)
            let counts = Self.counts(worldSize)
            let total = counts.reduce(0, +)

            var elements = input
            try await communicator.reduce(&elements, .sum, root: root)
            try FormTests.expect(elements, isRoot ? sum : input, "the sum in place", rank)
            let reduced = try await communicator.reduce(input, .sum, root: root)
            try FormTests.expect(reduced, isRoot ? sum : nil, "the sum", rank)

            let gathered = try await communicator.gather(input, root: root)
            let all = (0..<worldSize).flatMap { Self.own($0, 7) }
            try FormTests.expect(gathered, isRoot ? all : nil, "the gathering", rank)
            let uneven = try await communicator.gather(
                Self.own(rank, rank + 1), counts: isRoot ? counts : [], root: root)
            let allUneven = (0..<worldSize).flatMap { Self.own($0, $0 + 1) }
            try FormTests.expect(uneven, isRoot ? allUneven : nil, "the gathering by counts", rank)
            try FormTests.expect(
                try await communicator.allGather(Self.own(rank, rank + 1), counts: counts), allUneven,
                "the all-gathering by counts", rank)

            let whole = isRoot ? Self.own(root, 7) : []
            let share = Partition(count: 7, parts: worldSize)[rank]
            try FormTests.expect(
                try await communicator.scatter(whole, count: 7, root: root),
                Array(Self.own(root, 7)[share]), "the share", rank)
            let before = counts[..<rank].reduce(0, +)
            try FormTests.expect(
                try await communicator.scatter(
                    isRoot ? Self.own(root, total) : [], counts: counts, root: root),
                Array(Self.own(root, total)[before..<(before + rank + 1)]), "the share by counts", rank)
            try FormTests.expect(
                try await communicator.reduceScatter(Self.own(rank, total), .sum, counts: counts),
                Array(FormTests.sum(worldSize, total)[before..<(before + rank + 1)]),
                "the share of the sum", rank)

            try FormTests.expect(
                try await communicator.allToAll(Self.own(rank, 2 * worldSize)),
                (0..<worldSize).flatMap { Self.own($0, 2 * worldSize)[(2 * rank)..<(2 * rank + 2)] },
                "the blocks", rank)
            // Each rank sends rank r as many as r says, so all get as many from each.
            try FormTests.expect(
                try await communicator.allToAll(
                    Self.own(rank, total), counts: counts,
                    receiveCounts: counts.map { _ in rank + 1 }),
                (0..<worldSize).flatMap { Self.own($0, total)[before..<(before + rank + 1)] },
                "the blocks by counts", rank)
        }
        for outcome in outcomes { try outcome.get() }
        await group.close()
    }

    /// Counts that cannot be right are refused by the array forms too, which make buffers of them.
    @Test func wrongCountsOfArrays() async throws {
        let communicator = try await Communicator.connect(.single())
        let elements: [Float] = [1, 2]
        // A world of one has one share, whose count no rank needs to be told.
        for counts in [[1], [-2], [2, 0], [.max]] {
            let errors = [
                await Self.error { _ = try await communicator.allGather(elements, counts: counts) },
                await Self.error { _ = try await communicator.reduceScatter(elements, .sum, counts: counts) },
                await Self.error { _ = try await communicator.gather(elements, counts: counts, root: 0) },
                await Self.error { _ = try await communicator.scatter(elements, counts: counts, root: 0) },
                await Self.error {
                    _ = try await communicator.allToAll(elements, counts: [2], receiveCounts: counts)
                },
            ]
            for error in errors { #expect(error?.code == .invalidArgument, "\(counts): \(errors)") }
        }
        #expect(await Self.error { _ = try await communicator.scatter(elements, count: -1, root: 0) } != nil)
        communicator.close()
    }

    private static func error(_ body: () async throws -> Void) async -> CollectiveError? {
        do {
            try await body()
            return nil
        } catch { return error as? CollectiveError }
    }

    @Test(arguments: [1, 2, 3]) func spans(worldSize: Int) async throws {
        try await withRanks(worldSize) { communicator in
            let (rank, root) = (communicator.rank, worldSize - 1)
            let input = Self.own(rank, 6)
            let sum = FormTests.sum(worldSize, 6)
            let shares = (0..<worldSize).map { Partition(count: 6, parts: worldSize)[$0] }
            let gathering = (0..<worldSize).flatMap { Self.own($0, 6)[shares[$0]] }

            /// Runs a form in place and compares the part of the outcome that is defined.
            func inPlace(
                _ name: String, _ expected: [Int32], at part: Range<Int> = 0..<6,
                _ body: (inout MutableSpan<Int32>) throws -> Void
            ) throws {
                var elements = input
                do {
                    var span = elements.mutableSpan
                    try body(&span)
                }
                try FormTests.expect(Array(elements[part]), expected, name, rank)
            }
            /// Runs a form from one span into another of so many elements.
            func outOfPlace(
                _ name: String, _ input: [Int32], _ expected: [Int32],
                _ body: (Span<Int32>, inout MutableSpan<Int32>) throws -> Void
            ) throws {
                var output = [Int32](repeating: -1, count: expected.count)
                do {
                    var span = output.mutableSpan
                    try body(input.span, &span)
                }
                try FormTests.expect(output, expected, name, rank)
            }
            let counts = shares.map(\.count)
            try inPlace("reduce", rank == root ? sum : input) {
                try communicator.reduce(&$0, .sum, root: root)
            }
            try inPlace("gather", rank == root ? gathering : input) {
                try communicator.gather(&$0, root: root)
            }
            try inPlace("gather by counts", rank == root ? gathering : input) {
                try communicator.gather(&$0, counts: counts, root: root)
            }
            try inPlace("scatter", Array(Self.own(root, 6)[shares[rank]]), at: shares[rank]) {
                try communicator.scatter(&$0, root: root)
            }
            try inPlace("all-gather by counts", gathering) { try communicator.allGather(&$0, counts: counts) }
            try inPlace("reduce-scatter by counts", Array(sum[shares[rank]]), at: shares[rank]) {
                try communicator.reduceScatter(&$0, .sum, counts: counts)
            }
            let blocks = (0..<worldSize).flatMap { from in
                Self.own(from, 6)[(6 / worldSize * rank)..<(6 / worldSize * (rank + 1))]
            }
            try inPlace("all-to-all", blocks) { try communicator.allToAll(&$0) }
            try outOfPlace("all-to-all to another", input, blocks) {
                try communicator.allToAll(from: $0, into: &$1)
            }
            try outOfPlace("all-gather to another", Array(input[shares[rank]]), gathering) {
                try communicator.allGather(from: $0, into: &$1)
            }
            try outOfPlace("reduce-scatter to another", input, Array(sum[shares[rank]])) {
                try communicator.reduceScatter(from: $0, into: &$1, .sum)
            }
        }
    }

    @Test(arguments: [1, 2, 3]) func pointers(worldSize: Int) async throws {
        try await withRanks(worldSize) { communicator in
            let (rank, root) = (communicator.rank, worldSize - 1)
            let isRoot = rank == root
            let sum = FormTests.sum(worldSize, 7)
            let shares = (0..<worldSize).map { Partition(count: 7, parts: worldSize)[$0] }
            let counts = shares.map(\.count)
            let gathering = (0..<worldSize).flatMap { Self.own($0, 7)[shares[$0]] }
            let own = Self.own(rank, 7)
            let share = Array(own[shares[rank]])
            let rootShare = Array(Self.own(root, 7)[shares[rank]])

            func outOfPlace(
                _ name: String, _ input: [Int32], _ expected: [Int32],
                _ body: (UnsafeBufferPointer<Int32>, UnsafeMutableBufferPointer<Int32>) throws -> Void
            ) throws {
                var output = [Int32](repeating: -1, count: expected.count)
                try input.withUnsafeBufferPointer { input in
                    try output.withUnsafeMutableBufferPointer { try body(input, $0) }
                }
                try FormTests.expect(output, expected, name, rank)
            }
            try outOfPlace("reduce", own, isRoot ? sum : []) {
                try communicator.reduce(from: $0, into: $1, .sum, root: root)
            }
            try outOfPlace("gather", share, isRoot ? gathering : []) {
                try communicator.gather(from: $0, into: $1, count: 7, root: root)
            }
            try outOfPlace("gather by counts", share, isRoot ? gathering : []) {
                try communicator.gather(from: $0, into: $1, counts: isRoot ? counts : [], root: root)
            }
            try outOfPlace("scatter", isRoot ? own : [], rootShare) {
                try communicator.scatter(from: $0, into: $1, count: 7, root: root)
            }
            try outOfPlace("scatter by counts", isRoot ? own : [], rootShare) {
                try communicator.scatter(from: $0, into: $1, counts: isRoot ? counts : [], root: root)
            }
            try outOfPlace("all-gather by counts", share, gathering) {
                try communicator.allGather(from: $0, into: $1, counts: counts)
            }
            try outOfPlace("reduce-scatter by counts", own, Array(sum[shares[rank]])) {
                try communicator.reduceScatter(from: $0, into: $1, .sum, counts: counts)
            }
            // Every rank sends its share of seven to all, so each gets all of them.
            let sent = (0..<worldSize).flatMap { _ in share }
            try outOfPlace("all-to-all by counts", sent, gathering) {
                try communicator.allToAll(
                    from: $0, counts: counts.map { _ in share.count }, into: $1, receiveCounts: counts)
            }
        }
    }

    /// Where all shares are as large, nobody has to say how large the whole is.
    @Test func countFollowsFromShares() async throws {
        try await withRanks(3) { communicator in
            let rank = communicator.rank
            var gathered = [Int32](repeating: 0, count: rank == 1 ? 12 : 0)
            try Self.own(rank, 4).withUnsafeBufferPointer { input in
                try gathered.withUnsafeMutableBufferPointer {
                    try communicator.gather(from: input, into: $0, root: 1)
                }
            }
            let all = (0..<3).flatMap { Self.own($0, 4) }
            try FormTests.expect(gathered, rank == 1 ? all : [], "the gathering", rank)
            var share = [Int32](repeating: 0, count: 4)
            try gathered.withUnsafeBufferPointer { input in
                try share.withUnsafeMutableBufferPointer {
                    try communicator.scatter(from: input, into: $0, root: 1)
                }
            }
            try FormTests.expect(share, Self.own(rank, 4), "the share", rank)
        }
    }
}
