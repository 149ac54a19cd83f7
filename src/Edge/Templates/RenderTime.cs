using System.Diagnostics;
using Jint;

namespace OllamaMax.Edge.Templates;

/// <summary>
/// How long a template may take. Jint's own limit counts at every entry into the engine; this one leaves out the first run of the
/// library, which is known code and takes its time on a busy machine.
/// </summary>
internal sealed class RenderTime(TimeSpan longest) : Constraint
{
    /// <summary>A clock read in every statement would be seen in the time of a render.</summary>
    private const int CheckEvery = 64;

    private long _start;
    private int _checks;

    public bool IsOn { get; set; }

    public override void Reset()
    {
        _start = Stopwatch.GetTimestamp();
        _checks = 0;
    }

    public override void Check()
    {
        if (IsOn && ++_checks % CheckEvery == 0 && Stopwatch.GetElapsedTime(_start) > longest)
            throw new TimeoutException($"The template did not end within {longest.TotalSeconds} s.");
    }
}
