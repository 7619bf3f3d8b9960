/// A 16-bit floating-point number with float32's range: the upper half of a float32's bits.
///
/// It is a storage format. Compute in `Float`.
public struct BFloat16: BitwiseCopyable, Sendable {
    /// The number's bits: one of sign, eight of exponent, seven of significand.
    public var bitPattern: UInt16

    /// The number with these bits.
    public init(bitPattern: UInt16) {
        self.bitPattern = bitPattern
    }

    /// The nearest number to `value`, ties to even. A NaN becomes the quiet NaN 0x7FC0.
    public init(_ value: Float) {
        let bits = value.bitPattern
        if value.isNaN {
            bitPattern = 0x7FC0
        } else {
            let roundingBias = 0x7FFF + ((bits >> 16) & 1)
            bitPattern = UInt16(truncatingIfNeeded: (bits &+ roundingBias) >> 16)
        }
    }
}

extension BFloat16: Equatable {
    /// Compares as numbers do: NaN is unequal to everything, and -0 equals 0.
    public static func == (left: BFloat16, right: BFloat16) -> Bool {
        Float(left) == Float(right)
    }
}

extension BFloat16: CustomStringConvertible {
    public var description: String { "\(Float(self))" }
}

extension Float {
    /// The exact value of a bfloat16.
    public init(_ value: BFloat16) {
        self.init(bitPattern: UInt32(value.bitPattern) << 16)
    }
}
