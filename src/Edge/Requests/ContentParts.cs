using OllamaMax.Jobs;

namespace OllamaMax.Edge.Requests;

/// <summary>A message's texts, which become lines, and its images, each of which knows where it stands among them.</summary>
/// <param name="prefix">Stands before the first text.</param>
internal sealed class ContentParts(string prefix = "")
{
    private readonly List<string> _texts = [];
    private readonly List<ChatImage> _images = [];
    private int _length = prefix.Length;

    public string Text => prefix + string.Join('\n', _texts);

    public bool IsEmpty => _texts.Count == 0 && _images.Count == 0;

    public void Add(string text)
    {
        _length += text.Length + (_texts.Count > 0 ? 1 : 0);
        _texts.Add(text);
    }

    public ChatMessage ToMessage(string role) => new(role, Text) { Images = _images };

    public void Add(ChatImage image) => _images.Add(image with { At = _length });
}
