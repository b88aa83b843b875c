import java.nio.file.Path;
import java.util.Map;
import org.flowable.common.engine.impl.history.HistoryLevel;
import org.flowable.engine.ProcessEngine;
import org.flowable.engine.impl.cfg.StandaloneProcessEngineConfiguration;
import org.flowable.task.api.Task;

/** Flowable, embedded: `Flowable JDBC_URL FOLDER_OF_MODELS`. */
final class Flowable extends Contestant {
    private final ProcessEngine engine;

    private Flowable(String url) {
        var configuration = new StandaloneProcessEngineConfiguration();
        configuration.setDataSource(pool(url));
        configuration.setDatabaseSchemaUpdate("true");
        configuration.setHistoryLevel(HistoryLevel.FULL);
        configuration.setAsyncExecutorActivate(false);
        configuration.setDisableIdmEngine(true);
        engine = configuration.buildProcessEngine();
    }

    @Override
    void deploy(String name, String xml) {
        engine.getRepositoryService().createDeployment().addString(name, xml).deploy();
    }

    @Override
    String start(String process, Map<String, Object> variables) {
        return engine.getRuntimeService().startProcessInstanceByKey(process, variables).getId();
    }

    @Override
    String task(String instance) {
        Task task = engine.getTaskService().createTaskQuery().processInstanceId(instance).singleResult();
        return task == null ? null : task.getId();
    }

    @Override
    void complete(String task) {
        engine.getTaskService().complete(task);
    }

    public static void main(String[] arguments) throws Exception {
        new Flowable(arguments[0]).attend(Path.of(arguments[1]));
    }
}
