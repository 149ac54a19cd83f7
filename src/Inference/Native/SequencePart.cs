using System.Runtime.InteropServices;

namespace OllamaMax.Inference.Native;

/// <summary>
/// What a context remembers of neighbouring tokens of a sequence, in the machine's memory. Any context can go on with it that is of the same model and has the same types
/// of cache.
/// </summary>
internal sealed unsafe class SequencePart : SafeHandle
{
    /// <param name="start">Position of the first token.</param>
    /// <param name="length">Tokens.</param>
    /// <param name="size">Bytes of the native's own form.</param>
    public SequencePart(int start, int length, nuint size)
        : base(0, ownsHandle: true)
    {
        (Start, Length, Size) = (start, length, size);
        SetHandle((nint)NativeMemory.Alloc(size));
    }

    public int Start { get; }

    public int Length { get; }

    public int End => Start + Length;

    /// <summary>In bytes.</summary>
    public nuint Size { get; }

    public override bool IsInvalid => handle == 0;

    /// <summary>Not to be used once it is disposed.</summary>
    public byte* Data
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsClosed, this);
            return (byte*)handle;
        }
    }

    protected override bool ReleaseHandle()
    {
        NativeMemory.Free((void*)handle);
        return true;
    }
}
