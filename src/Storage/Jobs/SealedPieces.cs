using System.Globalization;
using OllamaMax.Security;

namespace OllamaMax.Storage.Jobs;

/// <summary>
/// How a file is encrypted: in pieces of 64 KB, each for its place, so that none is in memory whole. The last piece, and it alone, is shorter, if need be empty: a file that was cut off at the end of a piece is seen to be so.
/// </summary>
internal static class SealedPieces
{
    private const int PieceBytes = 64 * 1024;
    private const int SealedBytes = PieceBytes + ContentSeal.Overhead;

    /// <summary>Bytes of a file that are so many when sealed.</summary>
    public static long PlainLength(long length) => length - (((length / SealedBytes) + 1) * ContentSeal.Overhead);

    /// <summary>The sealed bytes of a file; the file's stream stays its owner's.</summary>
    public static Stream Seal(Stream plain, ContentSeal seal) => new Sealing(plain, seal);

    /// <summary>The file of sealed bytes, whose stream goes with it. Reading throws an <see cref="InvalidDataException"/> where they are not those of this file, whole and in order.</summary>
    public static Stream Open(Stream sealedBytes, ContentSeal seal) => new Opening(sealedBytes, seal);

    private static string Place(long piece) => string.Create(CultureInfo.InvariantCulture, $"piece {piece}");

    private sealed class Sealing(Stream plain, ContentSeal seal) : ProducedStream
    {
        private readonly byte[] _buffer = new byte[PieceBytes];
        private long _pieces;
        private bool _isEnded;

        protected override async ValueTask<byte[]?> NextAsync(CancellationToken cancellationToken)
        {
            if (_isEnded)
                return null;
            int read = await plain.ReadAtLeastAsync(_buffer, _buffer.Length, throwOnEndOfStream: false, cancellationToken);
            _isEnded = read < _buffer.Length;
            return seal.Seal(Place(_pieces++), _buffer.AsSpan(0, read));
        }
    }

    private sealed class Opening(Stream sealedBytes, ContentSeal seal) : ProducedStream
    {
        private readonly byte[] _buffer = new byte[SealedBytes];
        private long _pieces;
        private bool _isEnded;

        public override async ValueTask DisposeAsync()
        {
            await sealedBytes.DisposeAsync();
            await base.DisposeAsync();
        }

        protected override async ValueTask<byte[]?> NextAsync(CancellationToken cancellationToken)
        {
            if (_isEnded)
                return null;
            int read = await sealedBytes.ReadAtLeastAsync(_buffer, _buffer.Length, throwOnEndOfStream: false, cancellationToken);
            _isEnded = read < _buffer.Length;
            return seal.Open(Place(_pieces++), _buffer.AsSpan(0, read))
                ?? throw new InvalidDataException($"piece {_pieces} of the file does not open with content key '{seal.KeyId}': the file is damaged, or cut off");
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                sealedBytes.Dispose();
            base.Dispose(disposing);
        }
    }
}
