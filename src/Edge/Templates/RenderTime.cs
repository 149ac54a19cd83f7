using System.Diagnostics;
using Jint;

namespace OllamaMax.Edge.Templates;

/// <summary>
/// How long a template may take, once it has done a good deal. Jint's own limit is the clock's alone: on a busy machine it stops the
/// library's first run, and templates that did nothing wrong.
/// </summary>
internal sealed class RenderTime(TimeSpan longest) : Constraint
{
    /// <summary>Far more than any template for people needs; a second's work of an idle machine, about.</summary>
    private const int FreeStatements = 1_000_000;

    /// <summary>A clock read in every statement would be seen in the time of a render.</summary>
    private const int LookEvery = 64;

    private long _start;
    private int _statements;

    public override void Reset()
    {
        _start = Stopwatch.GetTimestamp();
        _statements = 0;
    }

    public override void Check()
    {
        if (++_statements > FreeStatements && _statements % LookEvery == 0 && Stopwatch.GetElapsedTime(_start) > longest)
            throw new TimeoutException($"The template did not end within {longest.TotalSeconds} s.");
    }
}
