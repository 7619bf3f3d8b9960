#if LZ4
    /// Elements many of which are zero: a bit for each element, set if it is not zero, then those that are not.
    ///
    /// Zeros that lie about one by one leave LZ4 little to match, and it takes its time over that.
    enum SparseElements {
        /// The bytes of the bits: whole words of 64, the first element in the lowest bit of the first byte.
        static func bitsByteCount(_ count: Int) -> Int { (count + 63) / 64 * 8 }

        /// How many of so many elements are zero: all their bits are.
        static func zeros(_ source: UnsafeRawPointer, _ count: Int, elementSize: Int) -> Int {
            switch elementSize {
            case 2: zeros(source, count, UInt16.self)
            case 4: zeros(source, count, UInt32.self)
            case 8: zeros(source, count, UInt64.self)
            default: 0
            }
        }

        /// Writes at most so many bytes, and returns how many; 0 if they may not suffice.
        static func encode(
            _ source: UnsafeRawPointer, count: Int, elementSize: Int,
            into destination: UnsafeMutableRawPointer,
            atMost limit: Int
        ) -> Int {
            switch elementSize {
            case 2: encode(source, count, UInt16.self, destination, limit)
            case 4: encode(source, count, UInt32.self, destination, limit)
            case 8: encode(source, count, UInt64.self, destination, limit)
            default: 0
            }
        }

        /// Fills a destination of so many elements; false if the bytes are not what encoding writes.
        static func decode(
            _ source: UnsafeRawBufferPointer, count: Int, elementSize: Int,
            into destination: UnsafeMutableRawPointer
        ) -> Bool {
            switch elementSize {
            case 2: decode(source, count, UInt16.self, destination)
            case 4: decode(source, count, UInt32.self, destination)
            case 8: decode(source, count, UInt64.self, destination)
            default: false
            }
        }

        private static func zeros<Element: FixedWidthInteger & BitwiseCopyable>(
            _ source: UnsafeRawPointer, _ count: Int, _: Element.Type
        ) -> Int {
            var zeros = 0
            for index in 0..<count {
                let element = source.loadUnaligned(
                    fromByteOffset: index &* MemoryLayout<Element>.size, as: Element.self)
                zeros &+= element == 0 ? 1 : 0
            }
            return zeros
        }

        private static func encode<Element: FixedWidthInteger & BitwiseCopyable>(
            _ source: UnsafeRawPointer, _ count: Int, _: Element.Type, _ destination: UnsafeMutableRawPointer,
            _ limit: Int
        ) -> Int {
            let size = MemoryLayout<Element>.size
            var end = bitsByteCount(count)
            for first in stride(from: 0, to: count, by: 64) {
                let part = min(64, count &- first)
                guard end &+ part &* size <= limit else { return 0 }
                var bits: UInt64 = 0
                for place in 0..<part {
                    let element = source.loadUnaligned(
                        fromByteOffset: (first &+ place) &* size, as: Element.self)
                    // The next one overwrites a zero.
                    destination.storeBytes(of: element, toByteOffset: end, as: Element.self)
                    let isKept: UInt64 = element == 0 ? 0 : 1
                    bits |= isKept &<< UInt64(place)
                    end &+= Int(isKept) &* size
                }
                destination.storeBytes(of: bits.littleEndian, toByteOffset: first / 8, as: UInt64.self)
            }
            return end
        }

        private static func decode<Element: FixedWidthInteger & BitwiseCopyable>(
            _ source: UnsafeRawBufferPointer, _ count: Int, _: Element.Type,
            _ destination: UnsafeMutableRawPointer
        ) -> Bool {
            let size = MemoryLayout<Element>.size
            var next = bitsByteCount(count)
            guard let start = source.baseAddress, count > 0, source.count >= next else { return false }
            destination.initializeMemory(as: UInt8.self, repeating: 0, count: count * size)
            for first in stride(from: 0, to: count, by: 64) {
                var bits = UInt64(
                    littleEndian: start.loadUnaligned(fromByteOffset: first / 8, as: UInt64.self))
                let part = count &- first
                guard part >= 64 || bits >> UInt64(part) == 0,
                    next &+ bits.nonzeroBitCount &* size <= source.count
                else { return false }
                while bits != 0 {
                    let element = start.loadUnaligned(fromByteOffset: next, as: Element.self)
                    destination.storeBytes(
                        of: element, toByteOffset: (first &+ bits.trailingZeroBitCount) &* size,
                        as: Element.self)
                    next &+= size
                    bits &= bits &- 1
                }
            }
            return next == source.count
        }
    }
#endif
