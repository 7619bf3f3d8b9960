package import RingCore

/// Encodes segments, runs of consecutive elements, into bytes and decodes them again.
///
/// A codec is a value without state, for elements of one type; any number of threads may use it at once. Equal segments
/// at equal positions are encoded in equal bytes on every machine, and a segment's bytes say nothing of how many
/// elements it has: both ends know. To add a codec, conform to this protocol, or to ``AddingCodec``, in a file of its
/// own, give it a code and run `CodecConformance` on it.
package protocol Codec: Sendable {
    /// What frames carry: equal codes decode alike. `Compression` makes those of the package; codes from 0xF0 on are
    /// free for others.
    var code: UInt8 { get }
    /// The name, for messages.
    var name: String { get }
    /// The elements that it takes.
    var dataType: DataType { get }
    /// How many elements are encoded together. Segments begin at multiples of it, so that nothing but the last block of
    /// a chunk is shorter.
    var blockSize: Int { get }

    /// The most bytes that so many elements can take.
    func largestByteCount(_ count: Int) -> Int

    /// The bytes that so many elements take, where that does not depend on them.
    func exactByteCount(_ count: Int) -> Int?

    /// Encodes a segment.
    ///
    /// - Parameters:
    ///   - destination: Room for ``largestByteCount(_:)``; does not overlap the source. Neither needs to be aligned.
    ///   - position: Where the segment is, for codecs that round at random.
    /// - Returns: The bytes written.
    func encode(
        _ source: UnsafeRawPointer, count: Int, into destination: UnsafeMutableRawPointer,
        at position: EncodingPosition
    ) -> Int

    /// Decodes a segment of `count` elements.
    ///
    /// Reads and writes nothing outside the two buffers, whatever the bytes are; throws if no encoder can have written
    /// them. What the destination holds then is not defined.
    func decode(
        _ source: UnsafeRawBufferPointer, count: Int, into destination: UnsafeMutableRawPointer
    ) throws(MalformedSegment)

    /// The largest difference between an element and what it is decoded as, in a block whose largest magnitude is
    /// `largest`, which is finite. Zero for codecs without loss.
    func errorBound(largest: Float) -> Double
}

/// A codec of float32 that adds as it decodes and encodes, in one pass.
package protocol AddingCodec: Codec {
    /// Decodes a segment and adds `own`, in float32. The destination may be `own`.
    func decode(
        _ source: UnsafeRawBufferPointer, count: Int, adding own: UnsafeRawPointer,
        into destination: UnsafeMutableRawPointer
    ) throws(MalformedSegment)

    /// Encodes the sum, in float32, of `own`, a decoded segment and `error`.
    ///
    /// - Parameters:
    ///   - received: A segment of as many elements; nil: nothing is added.
    ///   - error: Added, and set to what the encoding has taken away: 0 where that is not a finite number. Nil: nothing
    ///     is added, nor kept.
    /// - Returns: The bytes written.
    func encode(
        _ own: UnsafeRawPointer, adding received: UnsafeRawBufferPointer?, error: UnsafeMutableRawPointer?,
        count: Int, into destination: UnsafeMutableRawPointer, at position: EncodingPosition
    ) throws(MalformedSegment) -> Int
}

extension Codec {
    /// Whether elements arrive as they were sent.
    package var isLossless: Bool { errorBound(largest: 1) == 0 }
}

/// Where a segment is, which decides how it is rounded at random: the same elements at the same position are rounded
/// alike.
package struct EncodingPosition: Sendable, Hashable {
    /// The number of the operation.
    package var sequence: UInt64
    /// The rank that encodes.
    package var rank: Int
    /// The number of the segment's first element.
    package var firstElement: Int

    package init(sequence: UInt64 = 0, rank: Int = 0, firstElement: Int = 0) {
        self.sequence = sequence
        self.rank = rank
        self.firstElement = firstElement
    }

    /// A key for a generator of random numbers that differs by seed, operation and rank.
    func key(seed: UInt64) -> UInt64 {
        Self.mix(Self.mix(Self.mix(seed) ^ sequence) ^ UInt64(rank))
    }

    /// The finalizer of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
    private static func mix(_ value: UInt64) -> UInt64 {
        var mixed = value &+ 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Bytes that no encoder writes for the elements that are expected.
package struct MalformedSegment: Error, Hashable, CustomStringConvertible {
    /// What is wrong, to follow "sent": `a segment of 12 bytes where 1000 int8 take 1016`.
    package var description: String

    package init(_ description: String) {
        self.description = description
    }
}
