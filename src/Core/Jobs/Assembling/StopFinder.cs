using System.Text;

namespace OllamaMax.Jobs.Assembling;

/// <summary>
/// Looks for stop strings in text that comes in pieces. The one whose last character comes first wins, the longer one where two end
/// together: a rule that does not depend on how the text was cut.
/// </summary>
internal sealed class StopFinder(IReadOnlyList<string> stop)
{
    private readonly string[] _stop = [.. stop.Where(s => s.Length > 0)];

    /// <summary>The longest tail of the text so far that may still become a stop string.</summary>
    private string _held = "";

    public string? Found { get; private set; }

    /// <summary>Characters that belong to the answer so far.</summary>
    public long Passed { get; private set; }

    /// <summary>Appends to <paramref name="final"/> what certainly belongs to the answer.</summary>
    public void Append(ReadOnlySpan<char> text, StringBuilder final)
    {
        if (Found is not null || text.IsEmpty)
            return;
        if (_stop.Length == 0)
        {
            Pass(text, final);
            return;
        }

        ReadOnlySpan<char> all = _held.Length == 0 ? text : string.Concat(_held, text);
        int end = FindEnd(all);
        if (end < 0)
        {
            int held = TailThatMayBecomeAStop(all);
            Pass(all[..^held], final);
            _held = held == 0 ? "" : all[^held..].ToString();
        }
        else
        {
            Pass(all[..(end - Found!.Length)], final);
            _held = "";
        }
    }

    /// <summary>The text belongs to the answer, and so does what was held back: no stop string is in it.</summary>
    public void Skip(ReadOnlySpan<char> text, StringBuilder final)
    {
        Complete(final);
        Pass(text, final);
    }

    /// <summary>No more text comes: what was held back belongs to the answer.</summary>
    public void Complete(StringBuilder final)
    {
        Pass(_held, final);
        _held = "";
    }

    private void Pass(ReadOnlySpan<char> text, StringBuilder final)
    {
        final.Append(text);
        Passed += text.Length;
    }

    /// <summary>Position after the first stop string, which is noted in <see cref="Found"/>; -1: there is none.</summary>
    private int FindEnd(ReadOnlySpan<char> text)
    {
        int first = -1;
        foreach (string candidate in _stop)
        {
            int at = text.IndexOf(candidate, StringComparison.Ordinal);
            int end = at + candidate.Length;
            if (at < 0 || (first >= 0 && (end > first || (end == first && candidate.Length <= Found!.Length))))
                continue;
            first = end;
            Found = candidate;
        }
        return first;
    }

    private int TailThatMayBecomeAStop(ReadOnlySpan<char> text)
    {
        int longest = 0;
        foreach (string candidate in _stop)
        {
            int length = Math.Min(candidate.Length - 1, text.Length);
            while (length > longest && !text.EndsWith(candidate.AsSpan(0, length), StringComparison.Ordinal))
                length--;
            longest = Math.Max(longest, length);
        }
        return longest;
    }
}
