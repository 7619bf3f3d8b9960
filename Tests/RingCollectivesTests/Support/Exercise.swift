import RingCollectives
import RingCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// One call of a collective whose outcome is checked, byte by byte, on the rank that makes it.
struct Exercise: Sendable {
    var collective: Collective
    /// The elements of the whole; of an all-to-all those of each rank.
    var count: Int
    var dataType = DataType.float32
    var op = ReductionOperator.sum
    var root: Rank = 0
    var isInPlace = true
    var algorithm = Algorithm.automatic
    var compression = Compression.none
    /// The ranks' shares of the whole, if they are not those of the even split.
    var counts: [Int]?

    /// Runs it on one rank; throws what is wrong with the outcome.
    func run(on communicator: Communicator) throws {
        let rank = communicator.rank
        let samples = Samples(dataType: dataType, worldSize: communicator.worldSize)
        let own = samples.contribution(of: rank, count: count)
        let size = dataType.byteCount
        let shares = shares(communicator.worldSize)
        let shareBytes = (shares[rank].lowerBound * size)..<(shares[rank].upperBound * size)
        /// The whole with only this rank's share in it.
        func shareInPlace() -> [UInt8] {
            var whole = [UInt8](repeating: 0xEE, count: count * size)
            whole.replaceSubrange(shareBytes, with: own[shareBytes])
            return whole
        }
        switch collective {
        case .barrier: try communicator.run(.barrier().using(algorithm))
        case .allReduce:
            try check(
                communicator, input: own, outputBytes: count * size,
                expected: samples.reduction(op, count: count),
                inPlace: { .allReduce($0, dataType, op) },
                outOfPlace: { .allReduce(from: $0, into: $1, dataType, op) })
        case .reduce:
            let result = rank == root ? samples.reduction(op, count: count) : isInPlace ? own : []
            try check(
                communicator, input: own, outputBytes: result.count, expected: result,
                inPlace: { .reduce($0, dataType, op, root: root) },
                outOfPlace: { .reduce(from: $0, into: $1, dataType, op, root: root) })
        case .reduceScatter:
            let expected = Array(samples.reduction(op, count: count)[shareBytes])
            try check(
                communicator, input: own, outputBytes: isInPlace ? count * size : shareBytes.count,
                expected: expected, at: isInPlace ? shareBytes.lowerBound : 0,
                inPlace: { .reduceScatter($0, dataType, op, counts: counts) },
                outOfPlace: { .reduceScatter(from: $0, into: $1, dataType, op, counts: counts) })
        case .allGather:
            try check(
                communicator, input: isInPlace ? shareInPlace() : Array(own[shareBytes]),
                outputBytes: count * size, expected: samples.gathering(shares),
                inPlace: { .allGather($0, dataType, counts: counts) },
                outOfPlace: { .allGather(from: $0, into: $1, dataType, counts: counts) })
        case .gather:
            let input = isInPlace ? shareInPlace() : Array(own[shareBytes])
            let result = rank == root ? samples.gathering(shares) : isInPlace ? input : []
            try check(
                communicator, input: input, outputBytes: result.count, expected: result,
                inPlace: { .gather($0, dataType, counts: counts, root: root) },
                outOfPlace: { input, output in
                    guard let counts else {
                        return .gather(from: input, into: output, dataType, count: count, root: root)
                    }
                    // Some of those who need not know the counts do not.
                    let known = rank == root || rank % 2 == 0 ? counts : []
                    return .gather(from: input, into: output, dataType, counts: known, root: root)
                })
        case .broadcast:
            let isEmpty = !isInPlace && rank != root
            let input = rank == root ? own : [UInt8](repeating: 0xEE, count: isEmpty ? 0 : count * size)
            try check(
                communicator, input: input, outputBytes: count * size,
                expected: samples.contribution(of: root, count: count),
                inPlace: { .broadcast($0, dataType, root: root) },
                outOfPlace: { .broadcast(from: $0, into: $1, dataType, root: root) })
        case .scatter:
            let isEmpty = !isInPlace && rank != root
            let input = rank == root ? own : [UInt8](repeating: 0xEE, count: isEmpty ? 0 : count * size)
            let share = samples.contribution(of: root, count: count)[shareBytes]
            var expected = isInPlace ? input : Array(share)
            if isInPlace { expected.replaceSubrange(shareBytes, with: share) }
            try check(
                communicator, input: input, outputBytes: expected.count, expected: expected,
                inPlace: { .scatter($0, dataType, counts: counts, root: root) },
                outOfPlace: { input, output in
                    guard let counts else {
                        return .scatter(from: input, into: output, dataType, count: count, root: root)
                    }
                    let known = rank == root || rank % 2 == 0 ? counts : []
                    return .scatter(from: input, into: output, dataType, counts: known, root: root)
                })
        case .allToAll:
            let expected = samples.exchange(to: rank) { _, _ in count / communicator.worldSize }
            try check(
                communicator, input: own, outputBytes: count * size, expected: expected,
                inPlace: { .allToAll($0, dataType) },
                outOfPlace: { .allToAll(from: $0, into: $1, dataType) })
        case .sendReceive: throw Wrong(description: "messages have tests of their own")
        }
    }

    /// Which elements of the whole each rank has.
    func shares(_ worldSize: Int) -> [Range<Int>] {
        guard let counts else {
            let partition = Partition(count: count, parts: worldSize)
            return (0..<worldSize).map { partition[$0] }
        }
        var start = 0
        return counts.map { count in
            defer { start += count }
            return start..<start + count
        }
    }

    /// Runs an all-to-all in which rank `from` sends `counts(from, to)` elements to rank `to`.
    func runExchange(
        on communicator: Communicator, counts: (_ from: Rank, _ to: Rank) -> Int
    ) throws {
        let ranks = 0..<communicator.worldSize
        let rank = communicator.rank
        let samples = Samples(dataType: dataType, worldSize: communicator.worldSize)
        let sends = ranks.map { counts(rank, $0) }
        let receives = ranks.map { counts($0, rank) }
        var exercise = self
        exercise.isInPlace = false
        try exercise.check(
            communicator, input: samples.contribution(of: rank, count: sends.reduce(0, +)),
            outputBytes: receives.reduce(0, +) * dataType.byteCount,
            expected: samples.exchange(to: rank, counts: counts),
            inPlace: { .allToAll($0, dataType) },
            outOfPlace: { .allToAll(from: $0, counts: sends, into: $1, receiveCounts: receives, dataType) })
    }

    /// Bytes behind the output that nobody may touch.
    private static let fence = 64

    private func check(
        _ communicator: Communicator, input: [UInt8], outputBytes: Int, expected: [UInt8], at offset: Int = 0,
        inPlace: (UnsafeMutableRawBufferPointer) -> CollectiveOperation,
        outOfPlace: (UnsafeRawBufferPointer, UnsafeMutableRawBufferPointer) -> CollectiveOperation
    ) throws {
        var output = isInPlace ? input : [UInt8](repeating: 0xDD, count: outputBytes)
        output += [UInt8](repeating: 0xA5, count: Self.fence)
        let untouched = input
        try output.withUnsafeMutableBytes { output in
            let buffer = UnsafeMutableRawBufferPointer(rebasing: output[..<outputBytes])
            if isInPlace {
                try communicator.run(inPlace(buffer).using(algorithm).compressed(compression))
            } else {
                try input.withUnsafeBytes {
                    _ = try communicator.run(
                        outOfPlace($0, buffer).using(algorithm).compressed(compression))
                }
            }
        }
        try expect(output, equals: expected, at: offset, on: communicator)
        guard output.suffix(Self.fence).allSatisfy({ $0 == 0xA5 }) else {
            throw Wrong(description: "\(self): rank \(communicator.rank) wrote beyond its output")
        }
        guard isSame(input, untouched) else {
            throw Wrong(description: "\(self): rank \(communicator.rank) changed its input")
        }
    }

    private func expect(
        _ output: [UInt8], equals expected: [UInt8], at offset: Int, on communicator: Communicator
    ) throws {
        let result = Array(output[offset..<(offset + expected.count)])
        guard !isSame(result, expected) else { return }
        let first = result.indices.first { result[$0] != expected[$0] } ?? 0
        throw Wrong(
            description:
                "\(self): rank \(communicator.rank) of \(communicator.worldSize) has byte \(first) as "
                + "\(result[first]), not \(expected[first])")
    }

    /// As `==`, which in a debug build takes its time.
    private func isSame(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        return left.withUnsafeBytes { left in
            right.withUnsafeBytes {
                left.count == 0 || memcmp(left.baseAddress!, $0.baseAddress!, left.count) == 0
            }
        }
    }
}
