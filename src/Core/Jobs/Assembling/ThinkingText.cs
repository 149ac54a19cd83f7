using System.Text;

namespace OllamaMax.Jobs.Assembling;

/// <summary>
/// What is known to be reasoning. Models forget to close it before they call a function: a call with which the answer ends, in the midst of the reasoning, is one.
/// A call that more of the answer follows was only thought of.
/// </summary>
/// <param name="calls">Makes what finds calls; null of it: there are none that are known.</param>
internal sealed class ThinkingText(Func<ToolCallParser?> calls) : ITextStage
{
    private ToolCallParser? _calls = calls();
    private readonly AnswerParts _found = new();
    private readonly List<ToolCall> _pending = [];

    /// <summary>What may belong to calls, as it was written.</summary>
    private readonly StringBuilder _held = new();

    public void Append(ReadOnlySpan<char> text, AnswerParts parts)
    {
        if (_calls is null)
        {
            parts.AddThinking(text);
            return;
        }
        foreach (char c in text)
            Step(c, _calls, parts);
    }

    /// <summary>More of the answer has come behind the reasoning.</summary>
    public void Leave(AnswerParts parts)
    {
        if (_held.Length == 0)
            return;
        parts.AddThinking(_held.ToString());
        _held.Clear();
        _pending.Clear();
        // Reasoning that comes back does not go on with what was begun in this one.
        _calls = calls();
    }

    public void Complete(AnswerParts parts, bool isCut)
    {
        if (isCut)
            _pending.Clear();
        if (_calls is not null && _pending.Count > 0)
            _held.Remove(0, _held.Length - _calls.Held);
        foreach (ToolCall call in _pending)
            parts.AddCall(call);
        Leave(parts);
    }

    private void Step(char c, ToolCallParser parser, AnswerParts parts)
    {
        int before = _held.Length - parser.Held;
        _held.Append(c);
        parser.Append([c], _found);
        Assembled found = _found.Take();
        if (found.Text.Length > 0)
            _pending.Clear();
        _pending.AddRange(found.ToolCalls);
        if (found.Text.Length == 0)
            return;
        // A call may stand right behind one that is none.
        int decided = found.ToolCalls.Count > 0 ? before + found.Text.Length : _held.Length - parser.Held;
        parts.AddThinking(_held.ToString(0, decided));
        _held.Remove(0, decided);
    }
}

/// <summary>What follows reasoning, which it tells of that.</summary>
internal sealed class BehindThinking(ThinkingText thinking, ITextStage next) : ITextStage
{
    public void Append(ReadOnlySpan<char> text, AnswerParts parts)
    {
        thinking.Leave(parts);
        next.Append(text, parts);
    }

    public void Complete(AnswerParts parts, bool isCut)
    {
        thinking.Complete(parts, isCut);
        next.Complete(parts, isCut);
    }
}
