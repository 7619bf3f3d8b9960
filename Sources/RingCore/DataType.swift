/// The type of a collective's elements.
///
/// The raw value is the type's code on the wire.
public enum DataType: UInt8, Sendable, Hashable, CaseIterable {
    case float32 = 1
    case float64 = 2
    /// IEEE 754 binary16. Reductions convert to float32, operate, and round to nearest even.
    case float16 = 3
    /// The upper half of a float32. Reductions convert to float32, operate, and round to nearest even.
    case bfloat16 = 4
    case int8 = 5
    case int16 = 6
    case int32 = 7
    case int64 = 8
    case uint8 = 9
    case uint16 = 10
    case uint32 = 11
    case uint64 = 12
}

extension DataType {
    /// The size of one element, in bytes.
    public var byteCount: Int {
        switch self {
        case .int8, .uint8: 1
        case .float16, .bfloat16, .int16, .uint16: 2
        case .float32, .int32, .uint32: 4
        case .float64, .int64, .uint64: 8
        }
    }

    /// Whether elements are floating-point numbers, which can be NaN and are rounded.
    public var isFloatingPoint: Bool {
        switch self {
        case .float16, .bfloat16, .float32, .float64: true
        default: false
        }
    }

    /// The type's name in text, as command lines take it: `float32`, `int8`.
    public var name: String { "\(self)" }

    /// The type with a name as command lines take it, or nil.
    public init?(name: String) {
        guard let match = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = match
    }
}
