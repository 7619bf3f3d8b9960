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
    var count: Int
    var dataType = DataType.float32
    var op = ReductionOperator.sum
    var root: Rank = 0
    var isInPlace = true
    var algorithm = Algorithm.automatic

    /// Runs it on one rank; throws what is wrong with the outcome.
    func run(on communicator: Communicator) throws {
        let rank = communicator.rank
        let samples = Samples(dataType: dataType, worldSize: communicator.worldSize)
        let own = samples.contribution(of: rank, count: count)
        let size = dataType.byteCount
        let share = Partition(count: count, parts: communicator.worldSize)[rank]
        let shareBytes = (share.lowerBound * size)..<(share.upperBound * size)
        switch collective {
        case .barrier: try communicator.run(.barrier().using(algorithm))
        case .allReduce:
            try check(
                communicator, input: own, outputBytes: count * size,
                expected: samples.reduction(op, count: count),
                inPlace: { .allReduce($0, dataType, op) },
                outOfPlace: { .allReduce(from: $0, into: $1, dataType, op) })
        case .reduceScatter:
            let expected = Array(samples.reduction(op, count: count)[shareBytes])
            try check(
                communicator, input: own, outputBytes: isInPlace ? count * size : shareBytes.count,
                expected: expected, at: isInPlace ? shareBytes.lowerBound : 0,
                inPlace: { .reduceScatter($0, dataType, op) },
                outOfPlace: { .reduceScatter(from: $0, into: $1, dataType, op) })
        case .allGather:
            var input = Array(own[shareBytes])
            if isInPlace {
                input = [UInt8](repeating: 0xEE, count: count * size)
                input.replaceSubrange(shareBytes, with: own[shareBytes])
            }
            try check(
                communicator, input: input, outputBytes: count * size,
                expected: samples.gathering(count: count),
                inPlace: { .allGather($0, dataType) },
                outOfPlace: { .allGather(from: $0, into: $1, dataType) })
        case .broadcast:
            let isEmpty = !isInPlace && rank != root
            let input = rank == root ? own : [UInt8](repeating: 0xEE, count: isEmpty ? 0 : count * size)
            try check(
                communicator, input: input, outputBytes: count * size,
                expected: samples.contribution(of: root, count: count),
                inPlace: { .broadcast($0, dataType, root: root) },
                outOfPlace: { .broadcast(from: $0, into: $1, dataType, root: root) })
        default: throw Wrong(description: "\(collective.name) is not exercised")
        }
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
                try communicator.run(inPlace(buffer).using(algorithm))
            } else {
                try input.withUnsafeBytes {
                    _ = try communicator.run(outOfPlace($0, buffer).using(algorithm))
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
