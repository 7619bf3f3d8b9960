import RingCore

/// What a reduction of two elements must give, computed one at a time in plain Swift from `ReductionOperator`'s
/// definition.
struct ScalarReference {
    let dataType: DataType
    let reductionOperator: ReductionOperator
    let divisor: Int?

    func callAsFunction(_ own: [UInt64], _ received: [UInt64]) -> [UInt64] {
        zip(own, received).map { combine($0, $1) }
    }

    func combine(_ own: UInt64, _ received: UInt64) -> UInt64 {
        switch dataType {
        case .float32:
            let result = number(
                Float(bitPattern: UInt32(truncatingIfNeeded: own)),
                Float(bitPattern: UInt32(truncatingIfNeeded: received)))
            return result.map { UInt64($0.bitPattern) } ?? 0x7FC0_0000
        case .float64:
            return number(Double(bitPattern: own), Double(bitPattern: received))?.bitPattern
                ?? 0x7FF8_0000_0000_0000
        case .float16:
            let result = number(
                Float(Float16(bitPattern: UInt16(truncatingIfNeeded: own))),
                Float(Float16(bitPattern: UInt16(truncatingIfNeeded: received))))
            return result.map { UInt64(Float16($0).bitPattern) } ?? 0x7E00
        case .bfloat16:
            let result = number(
                Float(BFloat16(bitPattern: UInt16(truncatingIfNeeded: own))),
                Float(BFloat16(bitPattern: UInt16(truncatingIfNeeded: received))))
            return result.map { UInt64(BFloat16($0).bitPattern) } ?? 0x7FC0
        case .int8: return integer(Int8.self, own, received)
        case .int16: return integer(Int16.self, own, received)
        case .int32: return integer(Int32.self, own, received)
        case .int64: return integer(Int64.self, own, received)
        case .uint8: return integer(UInt8.self, own, received)
        case .uint16: return integer(UInt16.self, own, received)
        case .uint32: return integer(UInt32.self, own, received)
        case .uint64: return integer(UInt64.self, own, received)
        }
    }

    /// The result before it is rounded to the data type; nil if it is NaN.
    private func number<Number: BinaryFloatingPoint>(_ own: Number, _ received: Number) -> Number? {
        if own.isNaN || received.isNaN { return nil }
        let result: Number =
            switch reductionOperator {
            case .sum: own + received
            case .product: own * received
            case .average: divisor.map { (own + received) / Number($0) } ?? own + received
            case .min where own == received: own.sign == .minus ? own : received
            case .max where own == received: own.sign == .plus ? own : received
            case .min: own < received ? own : received
            case .max: own > received ? own : received
            }
        return result.isNaN ? nil : result
    }

    private func integer<Integer: FixedWidthInteger>(
        _: Integer.Type, _ ownBits: UInt64, _ receivedBits: UInt64
    ) -> UInt64 {
        let own = Integer(truncatingIfNeeded: ownBits)
        let received = Integer(truncatingIfNeeded: receivedBits)
        let result: Integer =
            switch reductionOperator {
            case .sum: own &+ received
            case .product: own &* received
            case .min: Swift.min(own, received)
            case .max: Swift.max(own, received)
            case .average: Integer(Int128(own &+ received) / Int128(divisor ?? 1))
            }
        return UInt64(truncatingIfNeeded: result) & (UInt64.max >> UInt64(64 - Integer.bitWidth))
    }
}
