using System.Text;

namespace OllamaMax.Jobs.Assembling;

/// <summary>Collects what the stages have decided, until it is taken.</summary>
internal sealed class AnswerParts
{
    private readonly StringBuilder _text = new();
    private readonly StringBuilder _thinking = new();
    private List<ToolCall> _calls = [];

    public void AddText(ReadOnlySpan<char> text) => _text.Append(text);

    public void AddThinking(ReadOnlySpan<char> text) => _thinking.Append(text);

    public void AddCall(ToolCall call) => _calls.Add(call);

    public Assembled Take()
    {
        if (_text.Length == 0 && _thinking.Length == 0 && _calls.Count == 0)
            return Assembled.Nothing;
        Assembled taken = new(_text.ToString(), _thinking.ToString(), _calls);
        _text.Clear();
        _thinking.Clear();
        _calls = [];
        return taken;
    }
}
