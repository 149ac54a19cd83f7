using System.Text;

namespace OllamaMax.Jobs.Assembling;

/// <summary>
/// Takes messages with recipients apart, as Muse Glimmer writes them, character by character: what the model addresses to itself is reasoning, all else goes on
/// without its header, calls among it, which their marks tell. What is no header is the text that it was.
/// </summary>
internal sealed class AddressedMessages : IMessageStage
{
    private static readonly string[] Marks = [.. AddressedHeader.Ends, HarmonyHeader.Assistant];

    private readonly ITextStage _thinking;
    private readonly ITextStage _next;

    /// <summary>All of a header; in a message what may become a mark.</summary>
    private readonly StringBuilder _held = new();

    private bool _isInHeader = true;

    /// <param name="begun">What the prompt has of the first message already.</param>
    /// <param name="thinking">Takes reasoning; not told of the end.</param>
    /// <param name="next">Takes the rest.</param>
    public AddressedMessages(string begun, ITextStage thinking, ITextStage next)
    {
        (_thinking, _next) = (thinking, next);
        Append(begun, new AnswerParts());
    }

    public bool IsThinking { get; private set; }

    public bool IsFinal => !_isInHeader && !IsThinking;

    public void Append(ReadOnlySpan<char> text, AnswerParts parts)
    {
        foreach (char c in text)
        {
            if (_isInHeader)
                StepHeader(c, parts);
            else
                StepMessage(c, parts);
        }
    }

    public void Complete(AnswerParts parts, bool isCut)
    {
        string held = _held.ToString();
        // What was to be a header and has come to a mark is that of a message that has not come; where there is nothing the last message is the answer's end.
        if (_isInHeader ? !string.IsNullOrWhiteSpace(held) && !held.Contains("<|", StringComparison.Ordinal) : held.Length > 0)
            Write(held, parts);
        _next.Complete(parts, isCut);
    }

    private void StepHeader(char c, AnswerParts parts)
    {
        string text = _held.Append(c).ToString();
        if (text.EndsWith(HarmonyHeader.Message, StringComparison.Ordinal))
        {
            _held.Clear();
            (_isInHeader, IsThinking) = (false, AddressedHeader.IsThinking(text));
        }
        else if (!AddressedHeader.MayBegin(text))
        {
            _held.Clear();
            _isInHeader = false;
            Write(text.AsSpan(0, 1), parts);
            Append(text.AsSpan(1), parts);
        }
    }

    private void StepMessage(char c, AnswerParts parts)
    {
        if (_held.Length == 0 && c != '<')
        {
            Write([c], parts);
            return;
        }
        string text = _held.Append(c).ToString();
        string? mark = Array.Find(Marks, mark => mark.StartsWith(text, StringComparison.Ordinal));
        if (mark is null)
        {
            // No mark has its first character again but behind a whole one.
            int held = c == '<' ? 1 : 0;
            _held.Remove(0, text.Length - held);
            Write(text.AsSpan(0, text.Length - held), parts);
        }
        else if (mark.Length == text.Length)
        {
            _isInHeader = true;
            if (AddressedHeader.Ends.Contains(mark))
                EndMessage();
        }
    }

    private void EndMessage()
    {
        _held.Clear();
        IsThinking = false;
    }

    private void Write(ReadOnlySpan<char> text, AnswerParts parts) => (IsThinking ? _thinking : _next).Append(text, parts);
}
