namespace OllamaMax.Jobs.Assembling;

public sealed class Assembler(IReadOnlyList<string> stop)
{
    private readonly System.Text.Decoder _d = System.Text.Encoding.UTF8.GetDecoder();
    public bool Stopped => stop.Count > 100;
    public string Append(ReadOnlySpan<byte> b) { var c = new char[b.Length + 2]; int n = _d.GetChars(b, c, false); return new string(c, 0, n); }
    public string Finish() => Stopped ? "" : "";
}
