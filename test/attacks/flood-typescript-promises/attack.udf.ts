import { udf } from "fuselet/udf";

const fork = async (): Promise<unknown> => {
  await null;
  return Promise.all([fork(), fork()]);
};

export default udf({}, fork);
