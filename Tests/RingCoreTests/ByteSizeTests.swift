import RingCore
import Testing

@Suite struct ByteSizeTests {
    @Test(arguments: [
        ("0", 0), ("4", 4), ("64K", 64 << 10), ("16M", 16 << 20), ("1G", 1 << 30), ("2g", 2 << 30),
        ("1k", 1024),
        ("007", 7),
    ])
    func sizesAreRead(_ text: String, _ bytes: Int) {
        #expect(ByteSize(text)?.bytes == bytes)
    }

    @Test(arguments: [
        "", "K", "-1", "+1", "1.5M", "1KK", "4B", "1 K", "0x10", "٣", "9223372036854775808", "8589934592G",
    ])
    func whatIsNoSizeIsRefused(_ text: String) {
        #expect(ByteSize(text) == nil)
    }

    @Test(arguments: [(0, "0"), (4, "4"), (1024, "1K"), (1536, "1536"), (64 << 20, "64M"), (3 << 30, "3G")])
    func sizesAreWritten(_ bytes: Int, _ text: String) {
        #expect(ByteSize(bytes: bytes).description == text)
        #expect(ByteSize(text)?.bytes == bytes)
    }
}
