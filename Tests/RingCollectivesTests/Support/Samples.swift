import RingCollectives
import RingCore

/// What was found wrong on a rank.
struct Wrong: Error, CustomStringConvertible {
    var description: String
}

/// Inputs whose reductions are exact in every type, and what must come of them, computed in plain Swift.
///
/// Elements are 1, 2, -1 or -2 (unsigned: 1 or 2), in a pattern that differs by rank and repeats after so many
/// elements that no mixed-up chunk goes unnoticed.
struct Samples {
    let dataType: DataType
    let worldSize: Int

    private static let period = 4 * 251

    static func value(rank: Rank, index: Int, _ dataType: DataType) -> Int {
        let value = [1, 2, -1, -2][(rank * 5 + index * 3 + index / 251) % 4]
        return dataType.isUnsigned ? abs(value) : value
    }

    /// A rank's contribution, as bytes.
    func contribution(of rank: Rank, count: Int) -> [UInt8] {
        tiled(count) { Self.encode([Self.value(rank: rank, index: $0, dataType)], nil, dataType) }
    }

    /// The combination of all ranks' contributions, as bytes.
    func reduction(_ op: ReductionOperator, count: Int) -> [UInt8] {
        tiled(count) { index in
            Self.encode((0..<worldSize).map { Self.value(rank: $0, index: index, dataType) }, op, dataType)
        }
    }

    /// All ranks' shares of a whole, each with its own rank's contribution, as bytes.
    func gathering(_ shares: [Range<Int>]) -> [UInt8] {
        shares.enumerated().flatMap { rank, share in part(of: rank, share) }
    }

    /// What a rank has after an exchange in which `from` has sent `counts(from, to)` of its elements to `to`.
    func exchange(to rank: Rank, counts: (_ from: Rank, _ to: Rank) -> Int) -> [UInt8] {
        (0..<worldSize).flatMap { from in
            let start = (0..<rank).reduce(0) { $0 + counts(from, $1) }
            return part(of: from, start..<(start + counts(from, rank)))
        }
    }

    private func part(of rank: Rank, _ elements: Range<Int>) -> [UInt8] {
        let size = dataType.byteCount
        return elements.isEmpty
            ? []
            : Array(contribution(of: rank, count: elements.upperBound)[(elements.lowerBound * size)...])
    }

    private func tiled(_ count: Int, _ element: (Int) -> [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count * dataType.byteCount)
        let pattern = (0..<min(count, Self.period)).flatMap(element)
        while bytes.count < count * dataType.byteCount {
            bytes += pattern.prefix(count * dataType.byteCount - bytes.count)
        }
        return bytes
    }

    /// Small numbers, combined and laid out as elements of a type.
    static func encode(_ values: [Int], _ op: ReductionOperator?, _ dataType: DataType) -> [UInt8] {
        let combined =
            switch op {
            case .product: values.reduce(1, *)
            case .min: values.min()!
            case .max: values.max()!
            case .sum, .average, nil: values.reduce(0, +)
            }
        let divisor = op == .average ? values.count : 1
        func bytes<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
            withUnsafeBytes(of: value.littleEndian) { Array($0) }
        }
        func integer<Value: FixedWidthInteger>(_: Value.Type) -> [UInt8] {
            let wrapped = Value(truncatingIfNeeded: combined)
            return bytes(
                divisor == 1 ? wrapped : Value(truncatingIfNeeded: Int128(wrapped) / Int128(divisor)))
        }
        switch dataType {
        case .float32: return bytes((Float(combined) / Float(divisor)).bitPattern)
        case .float64: return bytes((Double(combined) / Double(divisor)).bitPattern)
        case .float16: return bytes(Float16(Float(combined) / Float(divisor)).bitPattern)
        case .bfloat16: return bytes(BFloat16(Float(combined) / Float(divisor)).bitPattern)
        case .int8: return integer(Int8.self)
        case .int16: return integer(Int16.self)
        case .int32: return integer(Int32.self)
        case .int64: return integer(Int64.self)
        case .uint8: return integer(UInt8.self)
        case .uint16: return integer(UInt16.self)
        case .uint32: return integer(UInt32.self)
        case .uint64: return integer(UInt64.self)
        }
    }
}

extension DataType {
    var isUnsigned: Bool { name.hasPrefix("uint") }
}
