using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace OllamaMax.Inference.Native.LlamaCpp;

/// <summary>
/// Lets a computation be interrupted, by llama.cpp's <c>cb_eval</c>: before each operation it is asked whether somebody wants to see the result, computes
/// as far as that, and shows it. Nobody looks at it here: the computation stands still meanwhile.
/// </summary>
internal sealed unsafe class ComputeInterrupts : IDisposable
{
    // Each part costs its own start of the library's threads; a part is not longer than what a step of answers can bear.
    private static readonly TimeSpan s_shortPart = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan s_longPart = TimeSpan.FromMilliseconds(4);

    private GCHandle<ComputeInterrupts> _self;
    private Func<bool>? _goOn;
    private int _operations;
    private int _operationsOfPart = 16;
    private long _partStart;

    public ComputeInterrupts() => _self = new(this);

    /// <summary><c>cb_eval</c> of a context.</summary>
    public static nint Callback => (nint)(delegate* unmanaged[Cdecl]<nint, byte, void*, byte>)&OnOperation;

    /// <summary><c>cb_eval_user_data</c>; valid until this is disposed.</summary>
    public nint UserData => GCHandle<ComputeInterrupts>.ToIntPtr(_self);

    /// <summary>Whether the last computation was ended: what it was to bring is not there, though the library reports success.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>For one computation.</summary>
    /// <param name="goOn">Asked between its parts; null: it has one part.</param>
    public void Begin(Func<bool>? goOn)
    {
        _goOn = goOn;
        HasEnded = false;
        _operations = 0;
        // A part that has become as long as a whole computation would never be measured again.
        _operationsOfPart = Math.Max(_operationsOfPart / 2, 1);
        _partStart = Stopwatch.GetTimestamp();
    }

    public void Dispose() => _self.Dispose();

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static byte OnOperation(nint tensor, byte isQuestion, void* userData)
    {
        ComputeInterrupts self = GCHandle<ComputeInterrupts>.FromIntPtr((nint)userData).Target;
        return (isQuestion != 0 ? self.EndsPart() : self.GoesOn()) ? (byte)1 : (byte)0;
    }

    private bool EndsPart()
    {
        if (_goOn is null || ++_operations < _operationsOfPart)
            return false;
        _operations = 0;
        return true;
    }

    private bool GoesOn()
    {
        TimeSpan took = Stopwatch.GetElapsedTime(_partStart);
        if (took < s_shortPart)
            _operationsOfPart = 2 * _operationsOfPart;
        else if (took > s_longPart)
            _operationsOfPart = Math.Max(_operationsOfPart / 2, 1);
        // The library asks on in what is left of a batch.
        HasEnded = HasEnded || !_goOn!();
        _partStart = Stopwatch.GetTimestamp();
        return !HasEnded;
    }
}
