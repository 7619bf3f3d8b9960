import RingCompressionTesting

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

#if FUZZER
    /// What libFuzzer calls; see the Makefile's `fuzz`.
    @_cdecl("LLVMFuzzerTestOneInput")
    public func testOneInput(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
        try! DecoderFuzz().run(UnsafeBufferPointer(start: start, count: count))
        return 0
    }
#else
    /// Runs the decoders over a corpus and over what becomes of it when it is changed at random, for so many seconds.
    ///
    /// `codec-fuzz SECONDS CORPUS [INPUT]`. The input at hand is kept in the file INPUT, where it is found after a
    /// crash. `codec-fuzz seeds CORPUS` writes the inputs to start from.
    @main
    struct CodecFuzz {
        static func main() throws {
            let arguments = CommandLine.arguments
            guard arguments.count >= 3 else { fail("usage: codec-fuzz SECONDS|seeds CORPUS [INPUT]") }
            if arguments[1] == "seeds" {
                for (name, input) in DecoderFuzz().seeds() { store(input, to: "\(arguments[2])/\(name)") }
                return
            }
            guard let seconds = Double(arguments[1]) else {
                fail("\(arguments[1]) is not a number of seconds")
            }
            let corpus = read(folder: arguments[2])
            guard !corpus.isEmpty else { fail("no inputs in \(arguments[2])") }
            let kept = arguments.count > 3 ? KeptInput(path: arguments[3]) : nil
            let fuzz = DecoderFuzz()
            for input in corpus {
                kept?.keep(input)
                try fuzz.run(input)
            }
            let end = ContinuousClock.now + .seconds(seconds)
            let first = UInt64(ContinuousClock.now.duration(to: end).components.attoseconds)
            var number = first
            while ContinuousClock.now < end {
                for _ in 0..<100 {
                    let input = DecoderFuzz.mutated(corpus, number: number)
                    kept?.keep(input)
                    try fuzz.run(input)
                    number &+= 1
                }
            }
            print("decoded or refused \(corpus.count) inputs of the corpus and \(number - first) others")
        }

        private static func fail(_ message: String) -> Never {
            let line = Array((message + "\n").utf8)
            _ = write(STDERR_FILENO, line, line.count)
            exit(64)
        }

        private static func store(_ bytes: [UInt8], to path: String) {
            guard let file = fopen(path, "wb"), fwrite(bytes, 1, bytes.count, file) == bytes.count,
                fclose(file) == 0
            else { fail("\(path) cannot be written") }
        }

        private static func read(folder: String) -> [[UInt8]] {
            guard let listing = opendir(folder) else { fail("\(folder) cannot be read") }
            defer { closedir(listing) }
            var names: [String] = []
            while let entry = readdir(listing) {
                let name = withUnsafeBytes(of: &entry.pointee.d_name) { raw in
                    String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
                }
                if !name.hasPrefix(".") { names.append(name) }
            }
            return names.sorted().map { name in
                guard let file = fopen("\(folder)/\(name)", "rb") else { fail("\(name) cannot be read") }
                defer { fclose(file) }
                var bytes = [UInt8](repeating: 0, count: 1 << 20)
                return Array(bytes.prefix(fread(&bytes, 1, bytes.count, file)))
            }
        }
    }

    /// A file that always holds the input at hand: its length in four bytes, then the input.
    struct KeptInput {
        private let memory: UnsafeMutableRawPointer
        private static let capacity = 1 << 20

        init?(path: String) {
            let descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC, 0o644)
            guard descriptor >= 0, ftruncate(descriptor, off_t(Self.capacity)) == 0 else { return nil }
            let start = mmap(nil, Self.capacity, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
            close(descriptor)
            guard let start, start != MAP_FAILED else { return nil }
            memory = start
        }

        func keep(_ input: [UInt8]) {
            memory.storeBytes(of: UInt32(input.count), as: UInt32.self)
            (memory + 4).copyMemory(from: input, byteCount: min(input.count, Self.capacity - 4))
        }
    }
#endif
