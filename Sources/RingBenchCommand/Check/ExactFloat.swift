import RingCore

/// A floating-point type that can be made from numbers it holds exactly.
protocol ExactFloat: Sendable {
    associatedtype Bits: FixedWidthInteger & UnsignedInteger & Sendable

    /// The precision in bits, the implicit one included.
    static var significandBits: Int { get }

    /// The bits of a number that is zero or normal in this type and needs no rounding.
    static func exactBits(_ value: Double) -> Bits

    /// The number with these bits as a person reads it.
    static func text(_ bits: Bits) -> String
}

extension Double: ExactFloat {
    static var significandBits: Int { 53 }

    @inline(__always)
    static func exactBits(_ value: Double) -> UInt64 { value.bitPattern }

    static func text(_ bits: UInt64) -> String { "\(Double(bitPattern: bits))" }
}

extension Float: ExactFloat {
    static var significandBits: Int { 24 }

    @inline(__always)
    static func exactBits(_ value: Double) -> UInt32 { Float(value).bitPattern }

    static func text(_ bits: UInt32) -> String { "\(Float(bitPattern: bits))" }
}

extension Float16: ExactFloat {
    static var significandBits: Int { 11 }

    /// Moves the fields of the float32 by hand: it needs no rounding, and the general conversion is a function
    /// call on processors that a baseline build may have to run on.
    @inline(__always)
    static func exactBits(_ value: Double) -> UInt16 {
        let bits = Float(value).bitPattern
        let sign = UInt16(truncatingIfNeeded: bits >> 16) & 0x8000
        guard bits << 1 != 0 else { return sign }
        let exponentAndSignificand = (bits & 0x7FFF_FFFF) &- (112 << 23)
        return sign | UInt16(truncatingIfNeeded: exponentAndSignificand >> 13)
    }

    static func text(_ bits: UInt16) -> String { "\(Float(Float16(bitPattern: bits)))" }
}

extension BFloat16: ExactFloat {
    static var significandBits: Int { 8 }

    @inline(__always)
    static func exactBits(_ value: Double) -> UInt16 {
        UInt16(truncatingIfNeeded: Float(value).bitPattern >> 16)
    }

    static func text(_ bits: UInt16) -> String { "\(Float(BFloat16(bitPattern: bits)))" }
}
