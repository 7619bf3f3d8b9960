import RingCore
import Testing

@testable import RingBenchCommand

/// The check's expectations against reductions by the plain definition, and its eye for errors.
@Suite struct BufferCheckTests {
    private static let counts = [1, 31]

    @Test(arguments: DataType.allCases, ReductionOperator.allCases)
    func expectationIsTheReductionInAnyOrder(_ dataType: DataType, _ op: ReductionOperator) {
        for ranks in Array(1...9) + [16, 17, 33, 64] {
            for count in ranks <= 9 ? Self.counts : [20] {
                let check = BufferCheck(dataType: dataType, op: op, ranks: ranks, salt: UInt64(count))
                let inputs = (0..<ranks).map { filled(check, dataType, count, rank: $0) }
                for order in ReferenceReduction.Order.allCases {
                    let result = ReferenceReduction.reduce(inputs, dataType, op, order: order)
                    let found = mismatches(check, result, dataType, first: 100)
                    #expect(found == Mismatches(), "\(ranks) ranks, \(count) elements, \(order)")
                }
            }
        }
    }

    /// The largest worlds in which 16-bit floats can still be exact, and others where integers wrap many times.
    @Test(
        arguments: [DataType.bfloat16, .float16, .int8, .uint8, .float32, .uint64], ReductionOperator.allCases
    )
    func expectationHoldsForManyRanks(_ dataType: DataType, _ op: ReductionOperator) {
        for ranks in [129, 256, 300] where ranks <= BufferCheck.maximumRanks(dataType) ?? .max {
            let check = BufferCheck(dataType: dataType, op: op, ranks: ranks, salt: 9)
            let inputs = (0..<ranks).map { filled(check, dataType, 30, rank: $0) }
            for order in ReferenceReduction.Order.allCases {
                let result = ReferenceReduction.reduce(inputs, dataType, op, order: order)
                #expect(
                    mismatches(check, result, dataType, first: 100) == Mismatches(),
                    "\(ranks) ranks, \(order)")
            }
        }
    }

    /// So many of a hundred are zero on all ranks and in the result; what is left is as without zeros.
    @Test(arguments: [DataType.float32, .int16], [0, 90, 100]) func zerosAreZero(
        _ dataType: DataType, _ zeros: Int
    ) {
        let (count, size) = (20_000, dataType.byteCount)
        let check = BufferCheck(dataType: dataType, op: .sum, ranks: 3, salt: 5, zeros: zeros)
        let inputs = (0..<3).map { filled(check, dataType, count, rank: $0) }
        let result = ReferenceReduction.reduce(inputs, dataType, .sum, order: .allCases.first!)
        #expect(mismatches(check, result, dataType, first: 100) == Mismatches())
        func isZero(_ bytes: [UInt8], _ index: Int) -> Bool {
            bytes[index * size..<(index + 1) * size].allSatisfy { $0 == 0 }
        }
        let found = (0..<count).filter { index in inputs.allSatisfy { isZero($0, index) } }
        #expect(abs(found.count * 100 / count - zeros) <= 1)
        #expect(found.allSatisfy { isZero(result, $0) })
    }

    @Test(arguments: DataType.allCases, [nil] + ReductionOperator.allCases.map { Optional($0) })
    func anyFlippedBitIsFound(_ dataType: DataType, _ op: ReductionOperator?) {
        let check = BufferCheck(dataType: dataType, op: op, ranks: 3, salt: 4)
        let right = expected(check, dataType, 5)
        var unnoticed: [Int] = []
        for bit in 0..<right.count * 8 {
            var bytes = right
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            let found = mismatches(check, bytes, dataType, first: 0)
            let isNamed = found.first?.hasPrefix("element \(bit / 8 / dataType.byteCount) is ") == true
            if found.count != 1 || !isNamed { unnoticed.append(bit) }
        }
        #expect(unnoticed == [])
    }

    @Test(arguments: DataType.allCases, [nil] + ReductionOperator.allCases.map { Optional($0) })
    func movedElementsAreFound(_ dataType: DataType, _ op: ReductionOperator?) {
        for ranks in 1...9 {
            let check = BufferCheck(dataType: dataType, op: op, ranks: ranks, salt: 4)
            let right = expected(check, dataType, 64)
            for distance in [1, 2, 8, 31] {
                let shift = distance * dataType.byteCount
                let moved = Array(right[shift...] + right[..<shift])
                #expect(
                    mismatches(check, moved, dataType, first: 0).count > 16, "\(ranks) ranks by \(distance)")
            }
        }
    }

    @Test(arguments: DataType.allCases, [nil] + ReductionOperator.allCases.map { Optional($0) })
    func theResultOfTheOperationBeforeIsFound(_ dataType: DataType, _ op: ReductionOperator?) {
        for ranks in 1...9 {
            let before = BufferCheck(dataType: dataType, op: op, ranks: ranks, salt: 1)
            let check = BufferCheck(dataType: dataType, op: op, ranks: ranks, salt: 2)
            #expect(mismatches(check, expected(before, dataType, 64), dataType, first: 0).count > 16)
        }
    }

    /// Sums, products and averages must tell each rank's absence and doubling; min and max tell those of the rank
    /// whose element it is, which is another one every few elements.
    @Test(arguments: DataType.allCases, ReductionOperator.allCases)
    func aMissingOrDoubledRankIsFound(_ dataType: DataType, _ op: ReductionOperator) {
        for ranks in 2...9 {
            let check = BufferCheck(dataType: dataType, op: op, ranks: ranks, salt: 7)
            let inputs = (0..<ranks).map { filled(check, dataType, 60, rank: $0) }
            for rank in 0..<ranks {
                var doubled = inputs
                doubled[(rank + 1) % ranks] = inputs[rank]
                let wrong = mismatches(
                    check, ReferenceReduction.reduce(doubled, dataType, op), dataType, first: 100)
                #expect(wrong.count > 0, "rank \(rank) of \(ranks) in another's stead")
            }
        }
    }

    @Test(arguments: DataType.allCases)
    func spoiledElementsAreAllWrong(_ dataType: DataType) {
        for op in [nil] + ReductionOperator.allCases.map({ Optional($0) }) {
            let check = BufferCheck(dataType: dataType, op: op, ranks: 3, salt: 0)
            var bytes = [UInt8](repeating: 0, count: 100 * dataType.byteCount)
            bytes.withUnsafeMutableBytes { check.spoilOutput(piece(100, first: 0), of: $0) }
            #expect(mismatches(check, bytes, dataType, first: 0).count == 100)
        }
    }

    /// Beyond the period after which patterns repeat, where elements are copied and compared as memory.
    @Test func largeBuffersAreFilledAndCheckedThroughout() {
        let check = BufferCheck(dataType: .int8, op: .sum, ranks: 1, salt: 3)
        let count = 2_200_000
        // With one rank the sum is what it puts in.
        var bytes = [UInt8](repeating: 0, count: count)
        bytes.withUnsafeMutableBytes { check.fillInput(piece(count, first: 1_048_000), of: $0, rank: 0) }
        #expect(mismatches(check, bytes, .int8, first: 1_048_000) == Mismatches())
        for parts in [3] {
            for part in 0..<parts {
                let range = Partition(count: count, parts: parts)[part]
                #expect(
                    mismatches(check, Array(bytes[range]), .int8, first: 1_048_000 + range.lowerBound).count
                        == 0)
            }
        }
        for element in [5, 1_048_573, count - 1] {
            bytes[element] ^= 0x80
            let found = mismatches(check, bytes, .int8, first: 1_048_000)
            #expect(found.count == 1 && found.first?.hasPrefix("element \(element) is ") == true)
            bytes[element] ^= 0x80
        }
    }

    /// Where a conversion by hand stands in for the general one.
    @Test func exactBitsAreThoseOfTheGeneralConversion() {
        var different: [Double] = []
        for exponent in -5...3 {
            for integer in -2048...2048 {
                let value = Double(integer) * Double(sign: .plus, exponent: exponent, significand: 1)
                if Float16.exactBits(value) != Float16(value).bitPattern { different.append(value) }
                guard abs(integer) <= 256 else { continue }
                if BFloat16.exactBits(value) != BFloat16(Float(value)).bitPattern { different.append(value) }
            }
        }
        #expect(different == [])
    }

    private func piece(_ count: Int, first: Int) -> BufferLayout.Piece {
        BufferLayout.Piece(offset: 0, elements: first..<first + count)
    }

    /// What a rank puts in, elements 100 and on.
    private func filled(_ check: BufferCheck, _ dataType: DataType, _ count: Int, rank: Rank) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count * dataType.byteCount)
        bytes.withUnsafeMutableBytes { check.fillInput(piece(count, first: 100), of: $0, rank: rank) }
        return bytes
    }

    /// What comes out, elements 0 and on: the complement of what spoils it.
    private func expected(_ check: BufferCheck, _ dataType: DataType, _ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count * dataType.byteCount)
        bytes.withUnsafeMutableBytes { check.spoilOutput(piece(count, first: 0), of: $0) }
        return bytes.map { ~$0 }
    }

    private func mismatches(
        _ check: BufferCheck, _ bytes: [UInt8], _ dataType: DataType, first: Int
    ) -> Mismatches {
        bytes.withUnsafeBytes {
            check.checkOutput(piece($0.count / dataType.byteCount, first: first), of: $0)
        }
    }
}
