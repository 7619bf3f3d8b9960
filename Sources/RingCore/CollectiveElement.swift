/// A Swift type that collectives can carry and reduce.
///
/// Conforming types are laid out in memory exactly as their ``dataType`` says.
public protocol CollectiveElement: BitwiseCopyable, Sendable {
    /// The element type as collectives and the wire know it.
    static var dataType: DataType { get }
}

extension Float: CollectiveElement {
    public static var dataType: DataType { .float32 }
}

extension Double: CollectiveElement {
    public static var dataType: DataType { .float64 }
}

extension Float16: CollectiveElement {
    public static var dataType: DataType { .float16 }
}

extension BFloat16: CollectiveElement {
    public static var dataType: DataType { .bfloat16 }
}

extension Int8: CollectiveElement {
    public static var dataType: DataType { .int8 }
}

extension Int16: CollectiveElement {
    public static var dataType: DataType { .int16 }
}

extension Int32: CollectiveElement {
    public static var dataType: DataType { .int32 }
}

extension Int64: CollectiveElement {
    public static var dataType: DataType { .int64 }
}

extension Int: CollectiveElement {
    #if _pointerBitWidth(_64)
        public static var dataType: DataType { .int64 }
    #else
        public static var dataType: DataType { .int32 }
    #endif
}

extension UInt8: CollectiveElement {
    public static var dataType: DataType { .uint8 }
}

extension UInt16: CollectiveElement {
    public static var dataType: DataType { .uint16 }
}

extension UInt32: CollectiveElement {
    public static var dataType: DataType { .uint32 }
}

extension UInt64: CollectiveElement {
    public static var dataType: DataType { .uint64 }
}

extension UInt: CollectiveElement {
    #if _pointerBitWidth(_64)
        public static var dataType: DataType { .uint64 }
    #else
        public static var dataType: DataType { .uint32 }
    #endif
}
