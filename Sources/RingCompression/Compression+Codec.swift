package import RingCore

extension Compression {
    /// The codec for elements of a type; nil for no compression.
    ///
    /// Throws `.unsupported` for a type that the method cannot take, and for LZ4 in a build without it.
    package func codec(for dataType: DataType) throws(CollectiveError) -> (any Codec)? {
        guard method != .none else { return nil }
        guard accepts(dataType) else {
            throw CollectiveError(
                .unsupported,
                "compression \(name) takes float32, not \(dataType.name): use lz4, which takes every type, or none"
            )
        }
        if needsLZ4 { try Self.checkLZ4(name) }
        #if LZ4
            if method == .lz4 { return LZ4Codec(dataType) }
            let first = NarrowingCodec(self)!
            return hasSecondStage ? LZ4StageCodec(first, code: code, name: name) : first
        #else
            return NarrowingCodec(self)!
        #endif
    }

    private static func checkLZ4(_ name: String) throws(CollectiveError) {
        #if !LZ4
            throw CollectiveError(
                .unsupported,
                "compression \(name) is not in this build: build ring-collectives with the trait LZ4, or use another"
            )
        #endif
    }
}
