import RingCollectives
import RingCore
import RingTestSupport
import Testing

/// All ranks have the same bits, also where rounding or NaN leave room for more than one answer.
@Suite(.serialized) struct BitIdentityTests {
    @Test(arguments: [2, 3, 4, 7]) func randomFloats(worldSize: Int) async throws {
        for count in [1, 1_000, 4_099] {
            let results = try await withRanks(worldSize) { communicator in
                var elements = Self.random(count, seed: communicator.rank)
                try elements.withUnsafeMutableBufferPointer { try communicator.allReduce($0, .sum) }
                return elements.map(\.bitPattern)
            }
            for result in results { #expect(result == results[0]) }
            let inputs = (0..<worldSize).map { Self.random(count, seed: $0) }
            for (index, bits) in results[0].enumerated() {
                let exact = inputs.reduce(0) { $0 + Double($1[index]) }
                let magnitude = inputs.reduce(0) { $0 + abs(Double($1[index])) }
                #expect(
                    abs(Double(Float(bitPattern: bits)) - exact) <= magnitude * Double(worldSize) * 0x1p-24)
            }
        }
    }

    /// A reduce gives the root the same bits each time, in place or not, and whatever ranks' buffers are around it.
    @Test(arguments: [2, 3, 4, 7], [17, 40_000]) func reduce(worldSize: Int, count: Int) async throws {
        let results = try await withRanks(worldSize) { communicator in
            var results: [[UInt32]] = []
            for root in [0, worldSize - 1] {
                for isInPlace in [true, false, true] {
                    var elements = Self.random(count, seed: communicator.rank)
                    elements[communicator.rank] = .nan
                    elements[8] = communicator.rank == 1 ? -.nan : 1
                    var output = [Float](repeating: 0, count: communicator.rank == root ? count : 0)
                    try elements.withUnsafeMutableBufferPointer { elements in
                        if isInPlace { return try communicator.reduce(elements, .sum, root: root) }
                        try output.withUnsafeMutableBufferPointer {
                            try communicator.reduce(
                                from: UnsafeBufferPointer(elements), into: $0, .sum, root: root)
                        }
                    }
                    if communicator.rank == root {
                        results.append((isInPlace ? elements : output).map(\.bitPattern))
                    }
                }
            }
            return results
        }
        let inputs = (0..<worldSize).map { Self.random(count, seed: $0) }
        for rank in Set([0, worldSize - 1]) {
            let result = results[rank][0]
            for other in results[rank] { #expect(other == result, "rank \(rank)") }
            for index in Array(0..<worldSize) + [8] { #expect(result[index] == Float.nan.bitPattern) }
            for (index, bits) in result.enumerated() where index > 8 {
                let exact = inputs.reduce(0) { $0 + Double($1[index]) }
                let magnitude = inputs.reduce(0) { $0 + abs(Double($1[index])) }
                guard abs(Double(Float(bitPattern: bits)) - exact) <= magnitude * Double(worldSize) * 0x1p-24
                else {
                    Issue.record("element \(index) on rank \(rank)")
                    return
                }
            }
        }
    }

    private static func random(_ count: Int, seed: Int) -> [Float] {
        var generator = SplitMix64(state: UInt64(seed) &* 7919 + 1)
        return (0..<count).map { _ in Float.random(in: -1...1, using: &generator) }
    }

    /// A NaN of any sign and payload on any rank becomes the same NaN on all.
    @Test(arguments: ReductionOperator.allCases) func nan(op: ReductionOperator) async throws {
        let worldSize = 4
        let results = try await withRanks(worldSize) { communicator in
            var elements = [Float](repeating: 1, count: 64)
            elements[communicator.rank] = .nan
            elements[10 + communicator.rank] = -.nan
            elements[20] = Float(bitPattern: 0x7F80_0001 + UInt32(communicator.rank))
            elements[30] = communicator.rank % 2 == 0 ? .infinity : -.infinity
            try elements.withUnsafeMutableBufferPointer { try communicator.allReduce($0, op) }
            return elements.map(\.bitPattern)
        }
        for result in results { #expect(result == results[0]) }
        let canonical = Float.nan.bitPattern
        for index in [0, 1, 2, 3, 10, 11, 12, 13, 20] { #expect(results[0][index] == canonical) }
        if op == .sum || op == .average { #expect(results[0][30] == canonical) }
        #expect(results[0][40] == (op == .sum ? Float(4) : 1).bitPattern)
    }
}
