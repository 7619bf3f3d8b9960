import RingCore

/// Reductions by their plain definition, element by element, rounding to the element's type after every step.
enum ReferenceReduction {
    /// The orders in which contributions can be combined, as different algorithms do.
    enum Order: CaseIterable, Sendable {
        case rising
        case falling
        /// Neighbours first, then pairs of neighbours, as in a tree.
        case pairwise
        /// Even ranks, then odd ones.
        case strided
    }

    /// Reduces the ranks' buffers, all of one size.
    static func reduce(
        _ contributions: [[UInt8]], _ dataType: DataType, _ op: ReductionOperator, order: Order = .rising
    ) -> [UInt8] {
        switch dataType {
        case .float32: floats(contributions, op, order, { $0 as Float }, { $0 })
        case .float64: doubles(contributions, op, order)
        case .float16: floats(contributions, op, order, { Float($0 as Float16) }, { Float16($0) })
        case .bfloat16: floats(contributions, op, order, { Float($0 as BFloat16) }, { BFloat16($0) })
        case .int8: integers(contributions, op, order, Int8.self)
        case .int16: integers(contributions, op, order, Int16.self)
        case .int32: integers(contributions, op, order, Int32.self)
        case .int64: integers(contributions, op, order, Int64.self)
        case .uint8: integers(contributions, op, order, UInt8.self)
        case .uint16: integers(contributions, op, order, UInt16.self)
        case .uint32: integers(contributions, op, order, UInt32.self)
        case .uint64: integers(contributions, op, order, UInt64.self)
        }
    }

    private static func integers<T: FixedWidthInteger & BitwiseCopyable>(
        _ contributions: [[UInt8]], _ op: ReductionOperator, _ order: Order, _: T.Type
    ) -> [UInt8] {
        elementwise(contributions, order) { (left: T, right: T) in
            switch op {
            case .sum, .average: left &+ right
            case .product: left &* right
            case .min: min(left, right)
            case .max: max(left, right)
            }
        } finish: { value in
            guard op == .average else { return value }
            // Wide enough for the sum of any type and for the number of ranks.
            let wide = T.isSigned ? Int128(value) : Int128(UInt64(truncatingIfNeeded: value))
            return T(truncatingIfNeeded: wide / Int128(contributions.count))
        }
    }

    private static func doubles(_ contributions: [[UInt8]], _ op: ReductionOperator, _ order: Order)
        -> [UInt8]
    {
        elementwise(contributions, order) { (left: Double, right: Double) in
            switch op {
            case .sum, .average: left + right
            case .product: left * right
            case .min: left < right ? left : right
            case .max: left > right ? left : right
            }
        } finish: {
            op == .average ? $0 / Double(contributions.count) : $0
        }
    }

    private static func floats<T: BitwiseCopyable>(
        _ contributions: [[UInt8]], _ op: ReductionOperator, _ order: Order, _ widen: @escaping (T) -> Float,
        _ round: @escaping (Float) -> T
    ) -> [UInt8] {
        elementwise(contributions, order) { (left: T, right: T) in
            let (left, right) = (widen(left), widen(right))
            return switch op {
            case .sum, .average: round(left + right)
            case .product: round(left * right)
            case .min: round(left < right ? left : right)
            case .max: round(left > right ? left : right)
            }
        } finish: {
            op == .average ? round(widen($0) / Float(contributions.count)) : $0
        }
    }

    private static func elementwise<T: BitwiseCopyable>(
        _ contributions: [[UInt8]], _ order: Order, combine: (T, T) -> T, finish: (T) -> T
    ) -> [UInt8] {
        let ranks = contributions.map { bytes in
            bytes.withUnsafeBytes { raw in
                (0..<raw.count / MemoryLayout<T>.size).map {
                    raw.loadUnaligned(fromByteOffset: $0 * MemoryLayout<T>.size, as: T.self)
                }
            }
        }
        let results = ranks[0].indices.map { index in finish(fold(ranks.map { $0[index] }, order, combine)) }
        return results.withUnsafeBytes { Array($0) }
    }

    private static func fold<T>(_ values: [T], _ order: Order, _ combine: (T, T) -> T) -> T {
        var values = values
        switch order {
        case .rising: break
        case .falling: values.reverse()
        case .strided:
            let even = stride(from: 0, to: values.count, by: 2).map { values[$0] }
            let odd = stride(from: 1, to: values.count, by: 2).map { values[$0] }
            values = even + odd
        case .pairwise:
            while values.count > 1 {
                values = stride(from: 0, to: values.count, by: 2).map { index in
                    index + 1 < values.count ? combine(values[index], values[index + 1]) : values[index]
                }
            }
        }
        return values.dropFirst().reduce(values[0], combine)
    }
}
