using System.Text;

namespace OllamaMax.Jobs.Assembling;

/// <summary>
/// What is known to be reasoning. Models forget to close it before they call a function: a call with which the answer ends, in the midst of the reasoning, is one.
/// A call that more of the answer follows was only thought of.
/// </summary>
/// <param name="calls">Finds calls; null: there are none that are known.</param>
internal sealed class ThinkingText(ToolCallParser? calls) : ITextStage
{
    private readonly AnswerParts _found = new();
    private readonly List<ToolCall> _pending = [];

    /// <summary>What may belong to calls, as it was written.</summary>
    private readonly StringBuilder _held = new();

    public void Append(ReadOnlySpan<char> text, AnswerParts parts)
    {
        if (calls is null)
        {
            parts.AddThinking(text);
            return;
        }
        foreach (char c in text)
            Step(c, calls, parts);
    }

    /// <summary>More of the answer has come behind the reasoning.</summary>
    public void Leave(AnswerParts parts)
    {
        parts.AddThinking(_held.ToString());
        _held.Clear();
        _pending.Clear();
    }

    public void Complete(AnswerParts parts, bool isCut)
    {
        if (isCut)
            _pending.Clear();
        if (calls is not null && _pending.Count > 0)
            _held.Remove(0, _held.Length - calls.Held);
        foreach (ToolCall call in _pending)
            parts.AddCall(call);
        Leave(parts);
    }

    private void Step(char c, ToolCallParser parser, AnswerParts parts)
    {
        _held.Append(c);
        parser.Append([c], _found);
        Assembled found = _found.Take();
        _pending.AddRange(found.ToolCalls);
        if (found.Text.Length == 0)
            return;
        _pending.Clear();
        int decided = _held.Length - parser.Held;
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
