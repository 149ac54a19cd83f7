using Microsoft.Extensions.Logging.Abstractions;
using OllamaMax.Inference.Native;

namespace OllamaMax.Inference.Tests.Native;

public sealed class ModelLoadTests
{
    [Fact]
    public void Load_NoFile_SaysSo() => Error(TestModels.NewPath()).ShouldContain("cannot be read");

    [Fact]
    public void Load_Directory_SaysSo() => Error(Path.GetTempPath()).ShouldContain("cannot be read");

    [Theory]
    [InlineData("")]
    [InlineData("GG")]
    [InlineData("This is a text and no model at all.")]
    public void Load_NoGguf_SaysSo(string content) =>
        Error(Written(System.Text.Encoding.UTF8.GetBytes(content))).ShouldContain("is not a GGUF file");

    [Fact]
    public void Load_OtherVersion_SaysWhich()
    {
        byte[] data = Tiny();
        data[4] = 9;

        Error(Written(data)).ShouldContain("GGUF version 9");
    }

    [Theory]
    [InlineData(10)]
    [InlineData(1000)]
    [InlineData(9_000)]
    public void Load_CutOffInItsHeader_SaysSo(int length) => Error(Written(Tiny()[..length])).ShouldContain("cut off");

    [Fact]
    public void Load_CutOffInItsWeights_NamesTheTensor() =>
        Error(Written(Tiny()[..^100])).ShouldEndWith("data is not within the file bounds, model is corrupted or incomplete");

    [Fact]
    public void Load_TokenTwice_SaysWhich()
    {
        byte[] data = Tiny();
        // A letter that becomes its neighbour.
        int letters = data.AsSpan().IndexOf(new byte[] { 1, 0, 0, 0, 0, 0, 0, 0, (byte)'a', 1, 0, 0, 0, 0, 0, 0, 0, (byte)'b' });
        data[letters + 8] = (byte)'b';

        Error(Written(data)).ShouldEndWith("its vocabulary has 'b' twice");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(513)]
    [InlineData(uint.MaxValue)]
    public void Load_LayersThatCannotBe_SaysHowMany(uint layers)
    {
        byte[] data = Tiny();
        int at = data.AsSpan().IndexOf("llama.block_count"u8) + "llama.block_count".Length + 4;
        BitConverter.TryWriteBytes(data.AsSpan(at), layers);

        Error(Written(data)).ShouldEndWith($"its llama.block_count is {layers}");
    }

    [Fact]
    public void Load_MutatedHeaders_NeverEndTheProcess()
    {
        byte[] original = Tiny();
        Random random = new(20);
        for (int i = 0; i < 300; i++)
        {
            byte[] data = [.. original];
            for (int change = random.Next(1, 4); change > 0; change--)
                data[random.Next(random.Next(2) == 0 ? 900 : 24_000)] = (byte)random.Next(256);
            try
            {
                using INativeModel model = TestModels.Load(Written(data));
                model.Tokenize("hello \u00e9 <|im_end|>"u8, addSpecial: true, parseSpecial: true);
            }
            catch (ModelLoadException failure)
            {
                failure.Message.ShouldContain(".gguf ");
            }
        }
    }

    [Fact]
    public void Load_Cancelled_Stops() => Should.Throw<OperationCanceledException>(() => NativeModels.Load(
        NativeKind.Default, TestModels.File(TestModels.Tiny), new ModelConfig(0), NullLoggerFactory.Instance, new CancellationToken(canceled: true)));

    private static byte[] Tiny() => File.ReadAllBytes(TestModels.File(TestModels.Tiny));

    private static string Written(byte[] data)
    {
        string path = TestModels.NewPath();
        File.WriteAllBytes(path, data);
        return path;
    }

    private static string Error(string path)
    {
        string message = Should.Throw<ModelLoadException>(() => TestModels.Load(path)).Message;
        message.ShouldStartWith(path);
        message.ShouldNotContain("\n");
        return message;
    }
}
